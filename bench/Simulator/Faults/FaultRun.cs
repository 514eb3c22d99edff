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

    private readonly List<(DateTimeOffset At, Action Do)> _later = [];
    private readonly List<Client> _clients;

    /// <summary>Nodes to which nothing more may happen for now.</summary>
    private readonly HashSet<string> _broken = [];
    private readonly DateTimeOffset _end;
    private int _faults;

    private FaultRun(int seed, Setup setup)
    {
        _world = new FaultWorld(seed, setup);
        _end = Now + Faulty;
        _clients = [.. Enumerable.Range(0, 1 + _world.Random.Next(4)).Select(i => new Client($"c{i}", Turns, _world))];
    }

    private enum Fault
    {
        Kill,
        Freeze,
        Hang,
        Drain,
        KillGateway,
        LoseGateway,
        CutGateway,
        DrainGateway,
        LoseStore,
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
            run._faults,
            world.Watch.Continued,
            world.Watch.Restarted,
            world.Watch.Pulled,
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
        await Task.WhenAll(_clients.Select(client => client.Talk()));
        _clients.ForEach(Check);
        if (!_world.IsRounding)
        {
            _broken.Add(Recomputation.Name);
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
        foreach (var due in _later.Where(later => later.At <= Now).ToList())
        {
            _later.Remove(due);
            due.Do();
        }

        if (Now < _end && _world.Random.Next(TicksForOneFault) == 0)
        {
            Break();
        }
    }

    private void Break()
    {
        var length = TimeSpan.FromSeconds(_world.Random.NextDouble() * 5);
        var fault = Faults[_world.Random.Next(Faults.Length)];
        var whole = _world.Nodes.Where(node => !_broken.Contains(node.Name)).ToList();
        if (whole.Count == 0 && fault is (Fault.Kill or Fault.Freeze or Fault.Hang or Fault.Drain))
        {
            return;
        }

        _faults++;
        var victim = whole.Count > 0 ? whole[_world.Random.Next(whole.Count)] : null;
        switch (fault)
        {
            case Fault.Kill:
                _world.Harm(victim!.Name, length);
                Lose(victim, length);
                break;
            case Fault.Freeze:
                victim!.Freeze();
                _world.Harm(victim.Name, length);
                Mend(victim, length, victim.Thaw);
                break;
            case Fault.Hang:
                victim!.IsHung = true;
                _world.Harm(victim.Name, 3 * length);
                Mend(victim, 3 * length, () => victim.IsHung = false);
                break;
            case Fault.Drain:
                _ = Drain(victim!, length);
                break;
            case Fault.KillGateway:
                var killed = AnyGateway();
                killed.Kill();
                Lose(killed, length);
                break;
            case Fault.LoseGateway:
                var lost = AnyGateway();
                Lose(lost, length);
                Later(2 * length, lost.End);
                break;
            case Fault.CutGateway:
                var cut = AnyGateway();
                _world.CutOff(cut);
                _world.StartGateway();
                Later(2 * length, () =>
                {
                    _world.Lose(cut);
                    cut.End();
                });
                break;
            case Fault.DrainGateway:
                _ = Drain(AnyGateway());
                break;
            default:
                _world.Store.IsAway = true;
                _world.Harm(FaultyStore.Name, length);
                Later(length, () => _world.Store.IsAway = false);
                break;
        }
    }

    private void Lose(NodeProcess node, TimeSpan length)
    {
        _world.Lose(node);
        Mend(node, length, () => _world.StartNode(node.Name));
    }

    private void Lose(GatewayProcess gateway, TimeSpan length)
    {
        _world.Lose(gateway);
        _world.StartGateway();
        Later(length / 2, () => _world.Expel(gateway));
    }

    private GatewayProcess AnyGateway() => _world.Gateways[_world.Random.Next(_world.Gateways.Count)];

    /// <summary>Drains a node. Nothing may be lost by it.</summary>
    private async Task Drain(NodeProcess node, TimeSpan length)
    {
        _broken.Add(node.Name);
        await node.Drain();
        Lose(node, length);
    }

    private async Task Drain(GatewayProcess gateway)
    {
        if (_world.Gateways.Count < 3)
        {
            _world.StartGateway();
        }

        await gateway.Drain();
        if (gateway.IsThere)
        {
            _world.Lose(gateway);
            _world.Expel(gateway);
            gateway.End();
        }
    }

    private void Mend(NodeProcess node, TimeSpan after, Action mend)
    {
        _broken.Add(node.Name);
        Later(after, () =>
        {
            mend();
            _broken.Remove(node.Name);
        });
    }

    private void Later(TimeSpan after, Action what) => _later.Add((Now + after, what));
}

/// <param name="Faults">How many there were.</param>
/// <param name="Continued">The number of answers that a node continued after another node or a break.</param>
/// <param name="Restarted">The number of answers that a client had to restart.</param>
/// <param name="Pulled">How often a KV cache came from another node.</param>
/// <param name="Violations">The violated invariants.</param>
internal sealed record FaultRunResult(
    int Faults, int Continued, int Restarted, int Pulled, IReadOnlyList<string> Violations);
