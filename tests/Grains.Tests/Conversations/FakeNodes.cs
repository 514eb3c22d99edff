using System.Reflection;
using System.Runtime.CompilerServices;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;

namespace Herd.Grains.Tests.Conversations;

/// <summary>Nodes whose sessions answer by a script instead of a model.</summary>
public class FakeNodes : DispatchProxy
{
    private Func<string, SessionRequest, IEnumerable<object>> _script = (_, _) => [];

    /// <summary>The requests by node.</summary>
    public List<(string Node, SessionRequest Request)> Calls { get; } = [];

    /// <summary>The pulls: target node, link of the home, session.</summary>
    public List<(string Node, string Link, string Session)> Pulls { get; } = [];

    /// <summary>The released sessions.</summary>
    public List<(string Node, long Epoch)> Released { get; } = [];

    /// <summary>The result of pulls.</summary>
    public Func<Task<KvPull>> Pull { get; set; } = () => Task.FromResult(new KvPull(1, 1, 0, null));

    /// <summary>The replay buffer of each node.</summary>
    public GenerationEvent? ReplayBuffer { get; set; }

    /// <param name="script">
    /// The steps of a node for a request: an event to send, a task to wait for, or an exception to throw.
    /// </param>
    public static (IGrainFactory Grains, FakeNodes Nodes) New(Func<string, SessionRequest, IEnumerable<object>> script)
    {
        var grains = Create<IGrainFactory, FakeNodes>();
        var nodes = (FakeNodes)(object)grains;
        nodes._script = script;
        return (grains, nodes);
    }

    /// <summary>A step that never ends.</summary>
    public static Task Hang { get; } = new TaskCompletionSource().Task;

    public static GenerationEvent Token(int token) => new([token], $"{token} ", null);

    public static GenerationEvent End(int tokens) => new(
        [],
        "",
        new GenerationOutcome(Finish.Stop, true, new Usage(1, tokens, 0), new Timings(default, default, default)));

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        new Session(this, GrainKey.Split((string)args![0]!)[0]);

    private sealed class Session(FakeNodes nodes, string node) : ISessionGrain
    {
        public async IAsyncEnumerable<GenerationEvent> Generate(
            SessionRequest request, [EnumeratorCancellation] CancellationToken cancellation)
        {
            nodes.Calls.Add((node, request));
            foreach (var step in nodes._script(node, request))
            {
                cancellation.ThrowIfCancellationRequested();
                await Task.Yield();
                if (step is Task wait)
                {
                    await wait.WaitAsync(cancellation);
                    continue;
                }

                yield return step as GenerationEvent ?? throw (Exception)step;
            }
        }

        public Task<KvPull> Pull(string link, string session, CancellationToken cancellation)
        {
            nodes.Pulls.Add((node, link, session));
            return nodes.Pull();
        }

        public Task<GenerationEvent?> FetchReplayBuffer(long epoch, string turn) => Task.FromResult(nodes.ReplayBuffer);

        public Task Release(long epoch)
        {
            nodes.Released.Add((node, epoch));
            return Task.CompletedTask;
        }
    }
}
