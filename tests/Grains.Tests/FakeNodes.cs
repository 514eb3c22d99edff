using System.Reflection;
using System.Runtime.CompilerServices;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Nodes;

namespace Herd.Grains.Tests;

/// <summary>Nodes whose sessions answer by a script instead of a model.</summary>
public class FakeNodes : DispatchProxy
{
    private Func<string, SessionRequest, IEnumerable<object>> _script = (_, _) => [];

    /// <summary>What was asked of which node.</summary>
    public List<(string Node, SessionRequest Request)> Calls { get; } = [];

    /// <param name="script">What a node does with a request: events to send, or an exception to throw.</param>
    public static (IGrainFactory Grains, FakeNodes Nodes) New(Func<string, SessionRequest, IEnumerable<object>> script)
    {
        var grains = Create<IGrainFactory, FakeNodes>();
        var nodes = (FakeNodes)(object)grains;
        nodes._script = script;
        return (grains, nodes);
    }

    public static GenerationEvent Token(int token) => new([token], $"{token} ", null);

    public static GenerationEvent End(int tokens) => new(
        [], "", new GenerationOutcome(Finish.Stop, true, new Usage(1, tokens, 0), new Timings(default, default, default)));

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
                yield return step as GenerationEvent ?? throw (Exception)step;
            }
        }

        public Task Release(long epoch) => Task.CompletedTask;
    }
}
