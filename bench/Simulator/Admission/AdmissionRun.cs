using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Gateway.Hosting;
using Herd.Grains.Nodes;
using Herd.Inference.Simulated;
using Herd.Simulator.Faults;
using Microsoft.Extensions.Options;

namespace Herd.Simulator.Admission;

/// <summary>
/// What admission and routing predict, and what comes: a scene on real grains, engines and a real router and admission,
/// on simulated runtimes in simulated time. The same seed is the same run until a turn is taken that was refused.
/// </summary>
internal sealed class AdmissionRun : IDisposable
{
    /// <summary>The engine's state is visible before the end of its step, so steps are short.</summary>
    private const int BatchTokens = 64;

    private static readonly TimeSpan Limit = TimeSpan.FromHours(1);

    /// <summary>The time in which nodes load, warm up and report.</summary>
    private static readonly TimeSpan Begin = TimeSpan.FromSeconds(10);

    private readonly FaultWorld _world;
    private readonly IGrainFactory _grains;
    private readonly AdmissionScene _scene;
    private readonly IReadOnlyList<AdmissionScene.User> _users;
    private readonly TimeSpan _maxWait;
    private readonly int? _taken;
    private readonly List<Seen> _turns = [];
    private Gateway.Conversations.Admission? _admission;

    /// <param name="scene">The load.</param>
    /// <param name="seed">The seed of its random choices.</param>
    /// <param name="maxWait">Gateway:MaxPredictedWait.</param>
    /// <param name="taken">The index of a refusal whose turn is taken all the same; null means none.</param>
    /// <param name="setup">The files of the nodes.</param>
    public AdmissionRun(AdmissionScene scene, int seed, TimeSpan maxWait, int? taken, Setup setup)
    {
        (_scene, _maxWait, _taken) = (scene, maxWait, taken);
        _users = scene.Users(new Random(seed));
        _world = new FaultWorld(seed, setup, new ClusterSetup
        {
            Tick = TimeSpan.FromMilliseconds(5),
            IsFaulty = false,
            Timings = _ => new SimulatedTimings(),
            Node = () => new NodeOptions
            {
                Slots = 8,
                ContextTokens = 8192,
                BatchTokens = BatchTokens,
                StreamInterval = TimeSpan.Zero,
                Speculate = false,
            },
        });
        _grains = GrainCaller.Create(_world, caller: null);
    }

    private double Now => (_world.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds;

    /// <summary>The turns that admission refused.</summary>
    public int Refused { get; private set; }

    public IReadOnlyList<Seen> Run()
    {
        _world.Pump.Run(
            Talk, () => _world.Nodes.ForEach(node => node.Advance()), Limit);
        return _turns;
    }

    public void Dispose()
    {
        _admission?.Dispose();
        _world.Dispose();
    }

    private async Task Talk()
    {
        for (var node = 0; node < _scene.Nodes; node++)
        {
            _world.StartNode($"n{node}");
        }

        var gateway = _world.StartGateway();
        _admission = new(gateway.Router, Options.Create(new GatewayOptions { MaxPredictedWait = _maxWait }));
        await Task.Delay(Begin, _world.Time);
        await Task.WhenAll(_users.Select(Talk));
    }

    private async Task Talk(AdmissionScene.User user, int number)
    {
        await Task.Delay(TimeSpan.FromSeconds(user.Begin), _world.Time);
        var grain = _grains.GetGrain<IConversationGrain>(GrainKey.Conversation(user.Tenant, $"c{number}"));
        await grain.Create(null, null, CancellationToken.None);
        var random = new Random(number);
        foreach (var (i, turn) in user.Turns.Index())
        {
            var text = string.Concat(Enumerable.Range(0, turn.Said).Select(_ => (char)('a' + random.Next(26))));
            await Take(user.Tenant, grain, new TurnRequest
            {
                TurnId = $"c{number}-{i}",
                Input = [new Message(Role.User, text)],
                Settings = new GenerationSettings { Temperature = 0, MaxTokens = turn.Answer, IgnoreEnd = true },
            });
            await Task.Delay(TimeSpan.FromSeconds(turn.Pause), _world.Time);
        }
    }

    private async Task Take(string tenant, IConversationGrain grain, TurnRequest request)
    {
        var refusal = default(int?);
        try
        {
            _admission!.Enter(tenant, request).Dispose();
        }
        catch (Contracts.Errors.HerdException)
        {
            refusal = Refused++;
            if (refusal != _taken)
            {
                return;
            }
        }

        var (began, first, node) = (Now, default(double?), "");
        await foreach (var update in grain.Converse(request, CancellationToken.None))
        {
            node = update.Started?.Node ?? node;
            if (update.Delta is { Tokens: > 0 })
            {
                first ??= Now - began + _world.Nodes.First(there => there.Name == node).Ahead.TotalSeconds;
            }

            if (update.Completed is { } turn)
            {
                var estimate = turn.Placements![0].Chosen!;
                _turns.Add(new Seen(turn.Id, estimate, turn.Usage!.PromptTokens, first!.Value, refusal is not null));
            }
        }
    }

    internal sealed record Seen(
        string Turn, Contracts.Placements.TtftEstimate Estimate, int Tokens, double Came, bool WasRefused);
}
