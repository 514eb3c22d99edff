using FsCheck;
using FsCheck.Xunit;

namespace Herd.Contracts.Tests;

public sealed class GrainKeyTests
{
    [Theory]
    [InlineData("a/b", "c", "a", "b/c")]
    [InlineData("a%2Fb", "c", "a/b", "c")]
    [InlineData("", "a/", "/", "a")]
    public void Conversation_DelimitersInParts_MakeOtherKeys(
        string tenant, string id, string otherTenant, string otherId)
    {
        Assert.NotEqual(GrainKey.Conversation(tenant, id), GrainKey.Conversation(otherTenant, otherId));
    }

    [Property]
    public bool Session_AnyParts_RoundTrip(
        NonNull<string> node, NonNull<string> tenant, NonNull<string> id, NonNull<string> model)
    {
        // Lone surrogates are no text, and are replaced on the way in.
        string[] parts = [.. new[] { node, tenant, id, model }.Select(
            part => Uri.UnescapeDataString(Uri.EscapeDataString(part.Get)))];

        return GrainKey.Split(GrainKey.Session(parts[0], parts[1], parts[2], parts[3])).SequenceEqual(parts);
    }
}
