using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;
using Herd.Grains.Conversations.Deletions;
using Herd.Grains.Nodes.Deletions;
using Herd.Grains.Nodes.Sessions;
using Herd.Inference.Generation;
using Microsoft.Extensions.Time.Testing;

namespace Herd.Grains.Tests.Nodes.Deletions;

public sealed class DeletionFollowerTests : IAsyncDisposable, IDeletionLog
{
    private readonly SimulatedHost _node = new();
    private readonly ReplayBuffers _buffers = new();
    private readonly List<Deletion> _log = [];
    private readonly List<long> _read = [];
    private readonly DeletionFollower _follower;
    private bool _isAway;

    public DeletionFollowerTests() =>
        _follower = new DeletionFollower(_node.Host, this, _buffers, new FakeTimeProvider());

    public async ValueTask DisposeAsync()
    {
        _follower.Dispose();
        await _node.DisposeAsync();
    }

    Task<IReadOnlyList<Deletion>> IDeletionLog.Read(long since)
    {
        _read.Add(since);
        return _isAway
            ? throw new TimeoutException()
            : Task.FromResult<IReadOnlyList<Deletion>>([.. _log.Where(deletion => deletion.At >= since)]);
    }

    [Fact]
    public async Task Look_ConversationWasDeleted_ForgetsItsSessionsOnly()
    {
        await _node.Start();
        await Answer("a", "gone");
        await Answer("a", "stays");
        await Answer("b", "gone");
        _log.Add(new Deletion("a", "gone", At: 1));

        await _follower.Look();

        Assert.Equal([("a", "stays"), ("b", "gone")], await Sessions());
    }

    /// <summary>A transfer that began before the first look may bring the session again.</summary>
    [Fact]
    public async Task Look_SessionComesAgain_IsForgottenAtTheNextLookAndNotForEver()
    {
        await _node.Start();
        _log.Add(new Deletion("a", "gone", At: 1));
        await _follower.Look();
        await Answer("a", "gone");

        await _follower.Look();
        Assert.Empty(await Sessions());

        // A caller that keeps its history may use the same id again.
        await Answer("a", "gone");
        await _follower.Look();
        Assert.Single(await Sessions());
    }

    /// <summary>As of a node that loads another model: it reads all that it has not carried out.</summary>
    [Fact]
    public async Task Look_NoModelIsLoaded_CarriesOutLater()
    {
        _log.Add(new Deletion("a", "gone", At: 1_000_000));
        await _follower.Look();
        await _node.Start();
        await Answer("a", "gone");

        await _follower.Look();

        Assert.Empty(await Sessions());
        Assert.Equal([0, 0], _read);
    }

    [Fact]
    public async Task Look_Later_ReadsALittleMoreThanWhatIsNew()
    {
        await _node.Start();
        _log.Add(new Deletion("a", "one", At: 1_000_000));
        await _follower.Look();
        await _follower.Look();

        Assert.Equal([0, 940_000], _read);
    }

    /// <summary>The store is away for a while. Nothing is lost.</summary>
    [Fact]
    public async Task Look_StoreWasAway_CarriesOutWhatCameMeanwhile()
    {
        await _node.Start();
        await Answer("a", "gone");
        _isAway = true;
        await Assert.ThrowsAsync<TimeoutException>(_follower.Look);
        _log.Add(new Deletion("a", "gone", At: 1_000_000));
        _isAway = false;

        await _follower.Look();

        Assert.Empty(await Sessions());
    }

    [Fact]
    public async Task Look_ReplayBufferOfIt_IsErasedOnceItsAnswerHasEnded()
    {
        await _node.Start();
        var buffer = new ReplayBuffer();
        _buffers.Add(GrainKey.Session("node-1", "a", "gone", "tiny"), buffer);
        var answer = buffer.Begin(new SessionRequest
        {
            Turn = "1", Epoch = 1, Messages = [], Settings = new GenerationSettings(),
        });
        buffer.Append(new GenerationEvent([1], "secret", null));
        _log.Add(new Deletion("a", "gone", At: 1));

        await _follower.Look();
        Assert.NotNull(buffer.Find("1"));
        answer.Dispose();
        await _follower.Look();

        Assert.Null(buffer.Find("1"));
    }

    private async Task Answer(string tenant, string conversation)
    {
        var request = new GenerationRequest
        {
            Session = GrainKey.Session("node-1", tenant, conversation, "tiny"),
            Tenant = tenant,
            Prompt = [.. Enumerable.Range(1, 40)],
            Sampling = new(),
            MaxTokens = 2,
        };
        await foreach (var _ in _node.Host.Loaded!.Engine.Generate(request, TestContext.Current.CancellationToken))
        {
            // The answer is not used.
        }
    }

    private async Task<IEnumerable<(string Tenant, string Conversation)>> Sessions() =>
        (await _node.Host.Loaded!.Engine.Sessions())
            .Select(session => SessionKey.Parse(session.Session))
            .Select(key => (key.Tenant, key.Conversation))
            .Order();
}
