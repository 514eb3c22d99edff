using FsCheck.Xunit;
using Herd.Inference.Text;

namespace Herd.Inference.Tests.Text;

public sealed class StopMatcherTests
{
    [Fact]
    public void Append_StopAcrossPieces_ReleasesTheTextBeforeIt()
    {
        var matcher = new StopMatcher(["END"]);

        Assert.Equal("one ", matcher.Append("one E"));
        Assert.Equal("", matcher.Append("N"));
        Assert.Equal("", matcher.Append("D two"));
        Assert.True(matcher.Stopped);
        Assert.Equal("", matcher.Append("three") + matcher.Flush());
    }

    [Fact]
    public void Append_IncompleteStop_IsReleased()
    {
        var matcher = new StopMatcher(["END"]);

        Assert.Equal("", matcher.Append("E"));
        Assert.Equal("EN", matcher.Append("NE"));
        Assert.False(matcher.Stopped);
    }

    [Fact]
    public void Flush_HeldBack_IsReleased()
    {
        var matcher = new StopMatcher(["END"]);

        Assert.Equal("", matcher.Append("EN"));
        Assert.Equal("EN", matcher.Flush());
    }

    /// <summary>
    /// For any division into pieces, the released text ends before the first stop sequence of the whole.
    /// </summary>
    [Property(MaxTest = 500)]
    public bool Append_AnyPieces_ReleasesTextBeforeFirstStop(byte[] letters, byte[] cuts)
    {
        string[] stops = ["ab", "bca", "cc"];
        var text = string.Concat(letters.Select(letter => (char)('a' + letter % 3)));
        var matcher = new StopMatcher(stops);
        var released = "";
        for (int at = 0, i = 0; at < text.Length; i++)
        {
            var length = Math.Min(text.Length - at, cuts.Length == 0 ? 1 : 1 + cuts[i % cuts.Length] % 4);
            released += matcher.Append(text.Substring(at, length));
            at += length;
        }

        released += matcher.Flush();
        return released == BeforeFirstStop(text, stops);
    }

    /// <summary>
    /// A stop is found as soon as it is complete; of several that are complete then, the one that began first.
    /// </summary>
    private static string BeforeFirstStop(string text, string[] stops)
    {
        for (var end = 1; end <= text.Length; end++)
        {
            var starts = stops.Where(stop => text[..end].EndsWith(stop, StringComparison.Ordinal))
                .Select(stop => end - stop.Length);
            if (starts.Any())
            {
                return text[..starts.Min()];
            }
        }

        return text;
    }
}
