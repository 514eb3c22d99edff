using System.Text;
using FsCheck;
using FsCheck.Xunit;
using Herd.Inference.Text;

namespace Herd.Inference.Tests.Text;

public sealed class AnswerTextTests
{
    [Fact]
    public void Append_EmojiInFourTokens_IsReleasedWhole()
    {
        var text = new AnswerText(new ByteVocabulary(), []);

        var pieces = Encoding.UTF8.GetBytes("🐑!").Select(b => text.Append(b));

        Assert.Equal(["", "", "", "🐑", "!"], pieces);
    }

    [Fact]
    public void Flush_CharacterNeverCompleted_BecomesReplacement()
    {
        var text = new AnswerText(new ByteVocabulary(), []);
        text.Append(0xF0);

        Assert.Equal("\uFFFD", text.Flush());
    }

    [Fact]
    public void Append_StopOfTornCharacters_IsFound()
    {
        var text = new AnswerText(new ByteVocabulary(), ["🐑"]);

        var released = string.Concat(Encoding.UTF8.GetBytes("a🐑b").Select(b => text.Append(b)));

        Assert.Equal("a", released);
        Assert.True(text.Stopped);
    }

    /// <summary>Byte by byte, any text comes out as it is, and no piece begins or ends within a character.</summary>
    [Property(MaxTest = 300)]
    public bool Append_AnyText_IsReleasedWhole(NonNull<string> any)
    {
        var original = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(any.Get));
        var text = new AnswerText(new ByteVocabulary(), []);

        var pieces = Encoding.UTF8.GetBytes(original).Select(b => text.Append(b)).Append(text.Flush()).ToList();

        return string.Concat(pieces) == original
            && pieces.All(piece => piece.Length == 0
                || (!char.IsLowSurrogate(piece[0]) && !char.IsHighSurrogate(piece[^1])));
    }

    /// <summary>
    /// The text released after n tokens depends on them alone, so an answer can be rebuilt on any node.
    /// </summary>
    [Property(MaxTest = 300)]
    public bool Append_RebuiltFromTokens_ReleasesTheSame(byte[] tokens, byte at)
    {
        string[] stops = ["ab", "é"];
        var whole = new AnswerText(new ByteVocabulary(), stops);
        var rebuilt = new AnswerText(new ByteVocabulary(), stops);
        var cut = tokens.Length == 0 ? 0 : at % tokens.Length;

        var pieces = tokens.Select(token => whole.Append(token)).ToList();
        var before = string.Concat(tokens.Take(cut).Select(token => rebuilt.Append(token)));
        var after = tokens.Skip(cut).Select(token => rebuilt.Append(token)).ToList();

        return before == string.Concat(pieces.Take(cut)) && after.SequenceEqual(pieces.Skip(cut))
            && whole.Flush() == rebuilt.Flush();
    }
}
