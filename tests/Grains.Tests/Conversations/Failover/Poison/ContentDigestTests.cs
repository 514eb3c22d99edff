using Herd.Contracts.Conversations;

namespace Herd.Grains.Tests.Conversations.Failover.Poison;

public sealed class ContentDigestTests
{
    private static readonly Conversation Some = Conversation(system: "be brief", "hello");

    [Fact]
    public void Compute_SameContentInAnotherConversation_IsTheSame() => Assert.Equal(
        Digest(), Digest(conversation: Some with { Id = "other", Turns = [Some.Turns[0] with { Id = "9" }] }));

    [Fact]
    public void Compute_AnotherTenantModelKeyOrText_IsAnother()
    {
        string[] digests =
        [
            Digest(),
            Digest(tenant: "u"),
            Digest(model: "n"),
            Digest(key: 1),
            Digest(conversation: Conversation("be brief", "hello!")),
            Digest(conversation: Conversation("be brief", "hel", "lo")),
            Digest(conversation: Conversation("be briefhello", "")),
            Digest(conversation: Conversation(null, "be briefhello")),
        ];

        Assert.Equal(digests, digests.Distinct());
        Assert.All(digests, digest => Assert.Matches("^[0-9a-f]{64}$", digest));
    }

    private static string Digest(
        string tenant = "t", string model = "m", byte key = 0, Conversation? conversation = null) =>
        ClusterKeys.Digests(key).Compute(tenant, model, conversation ?? Some);

    private static Conversation Conversation(string? system, params string[] messages) => new()
    {
        Id = "c",
        Created = DateTimeOffset.UnixEpoch,
        System = system,
        Turns =
        [
            new Turn
            {
                Id = "1",
                State = TurnState.Pending,
                Input = [.. messages.Select(text => new Message(Role.User, text))],
                Created = DateTimeOffset.UnixEpoch,
                Settings = new GenerationSettings(),
            },
        ],
    };
}
