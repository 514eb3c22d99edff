using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;

namespace Herd.Simulator.Faults;

/// <summary>
/// Some clients hold conversations while nodes are killed, frozen, hung and drained, gateways killed, drained, lost
/// (their code runs on) and cut off (their clients reach them still), and the store comes and goes. In the end every
/// answer must have been streamed and stored once, whole, whatever happened, and whoever reads what was acknowledged
/// finds it.
/// </summary>
internal sealed class FaultRun : IDisposable
{
    private const int Turns = 3;
    private const int TicksForOneFault = 25;
    private const int SeedsForOnePoison = 4;

    /// <summary>The faults. One is drawn from the list with equal chances: a node is killed twice as often.</summary>
    private static readonly Fault[] Faults =
    [
        Fault.Kill, Fault.Kill, Fault.Freeze, Fault.Hang, Fault.Drain, Fault.KillGateway, Fault.LoseGateway,
        Fault.CutGateway, Fault.DrainGateway, Fault.LoseStore,
    ];

    private static readonly TimeSpan MaxTime = TimeSpan.FromMinutes(15);

    /// <summary>The time after which all faults are repaired. A wait that is not over then is a violation.</summary>
    private static readonly TimeSpan Faulty = TimeSpan.FromMinutes(1);

    private readonly FaultWorld _world;
    private readonly FaultInjector _injector;
    private readonly List<Client> _clients;
    private readonly DateTimeOffset _end;
    private readonly PoisonClient? _poison;

    private FaultRun(int seed, Setup setup)
    {
        _world = new FaultWorld(seed, setup);
        _injector = new FaultInjector(_world);
        _end = Now + Faulty;
        _clients = [.. Enumerable.Range(0, 1 + _world.Random.Next(4)).Select(i => new Client($"c{i}", Turns, _world))];
        if (seed % SeedsForOnePoison == 0)
        {
            _poison = new PoisonClient(_world, _injector);
            _world.OnGenerate = _poison.Computes;
        }
    }

    private DateTimeOffset Now => _world.Time.GetUtcNow();

    /// <returns>How it went, and what is wrong.</returns>
    public static FaultRunResult Run(int seed, Setup setup)
    {
        using var run = new FaultRun(seed, setup);
        var world = run._world;
        try
        {
            world.Pump.Run(run.Talk, run.Tick, MaxTime);
        }
        catch (Exception e) when (e is TimeoutException or HerdException)
        {
            world.Require(false, e.Message);
        }

        return new FaultRunResult(
            run._injector.Faults,
            world.Watch.Continued,
            world.Watch.Restarted,
            world.Watch.Pulled,
            world.Watch.RefusedByChance,
            run._poison is { IsRefused: true } ? 1 : 0,
            [.. world.Violations.Select(violation => $"seed {seed}: {violation}")]);
    }

    public void Dispose() => _world.Dispose();

    private async Task Talk()
    {
        for (var node = 0; node < 2 + _world.Random.Next(3); node++)
        {
            _world.StartNode($"n{node}");
        }

        _world.StartGateway();
        _world.StartGateway();
        await Task.WhenAll(_clients.Select(client => client.Talk()).Append(_poison?.Talk() ?? Task.CompletedTask));
        _clients.ForEach(Check);
        if (!_world.IsRounding)
        {
            _injector.Spare(Recomputation.Name);
            await new Recomputation(_world).Run(_clients.Select(client => _world.Store.Find(client.Conversation)!));
        }
    }

    private void Check(Client client)
    {
        var stored = _world.Store.Find(client.Conversation)!;
        var expected = Enumerable.Range(0, Turns).Select(turn => $"{client.Conversation}-{turn}");
        _world.Require(
            stored.Turns.Select(turn => turn.Id).SequenceEqual(expected),
            $"{client.Conversation} has other turns, or in another order");
        foreach (var turn in stored.Turns)
        {
            _world.Require(turn.State == TurnState.Completed, $"{turn.Id} is stored as {turn.State}");
            _world.Require(
                turn.Answer.Text == client.Answers[turn.Id],
                $"the answer of {turn.Id} was streamed as another than is stored");
        }
    }

    /// <summary>Advances the time: nodes compute, faults may be repaired, and new faults may begin.</summary>
    private void Tick()
    {
        _world.Nodes.ToList().ForEach(node => node.Advance());
        _injector.Tick();
        if (Now < _end && _world.Random.Next(TicksForOneFault) == 0)
        {
            Break();
        }
    }

    private void Break()
    {
        var length = TimeSpan.FromSeconds(_world.Random.NextDouble() * 5);
        var fault = Faults[_world.Random.Next(Faults.Length)];
        var whole = _world.Nodes.Where(node => _injector.IsWhole(node)).ToList();
        if (whole.Count == 0 && fault is (Fault.Kill or Fault.Freeze or Fault.Hang or Fault.Drain))
        {
            return;
        }

        _injector.Break(fault, whole.Count > 0 ? whole[_world.Random.Next(whole.Count)] : null, length);
    }
}
