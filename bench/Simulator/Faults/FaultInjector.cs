namespace Herd.Simulator.Faults;

/// <summary>Breaks nodes, gateways and the store of a simulated cluster, and repairs them later.</summary>
internal sealed class FaultInjector(FaultWorld world)
{
    private readonly List<(DateTimeOffset At, Action Do)> _later = [];

    /// <summary>Nodes to which nothing more may happen for now.</summary>
    private readonly HashSet<string> _broken = [];

    /// <summary>The faults so far.</summary>
    public int Faults { get; private set; }

    /// <summary>The gateways that were lost so far, with what they had not stored.</summary>
    public int GatewayFaults { get; private set; }

    public bool IsWhole(NodeProcess node) => node.IsThere && !_broken.Contains(node.Name);

    /// <summary>Keeps faults from a node from now on.</summary>
    public void Spare(string node) => _broken.Add(node);

    /// <summary>Does what is due.</summary>
    public void Tick()
    {
        foreach (var due in _later.Where(later => later.At <= world.Time.GetUtcNow()).ToList())
        {
            _later.Remove(due);
            due.Do();
        }
    }

    /// <param name="fault">The fault.</param>
    /// <param name="victim">The node of a node's fault.</param>
    /// <param name="length">How long it lasts. A hang lasts three times as long.</param>
    public void Break(Fault fault, NodeProcess? victim, TimeSpan length)
    {
        Faults++;
        GatewayFaults += fault is Fault.KillGateway or Fault.LoseGateway or Fault.CutGateway ? 1 : 0;
        switch (fault)
        {
            case Fault.Kill:
                world.Harm(victim!.Name, length);
                Lose(victim, length);
                break;
            case Fault.Freeze:
                victim!.Freeze();
                world.Harm(victim.Name, length);
                Mend(victim, length, victim.Thaw);
                break;
            case Fault.Hang:
                victim!.IsHung = true;
                world.Harm(victim.Name, 3 * length);
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
                world.CutOff(cut);
                world.StartGateway();
                Later(2 * length, () =>
                {
                    world.Lose(cut);
                    cut.End();
                });
                break;
            case Fault.DrainGateway:
                _ = Drain(AnyGateway());
                break;
            default:
                world.Store.IsAway = true;
                world.Harm(FaultyStore.Name, length);
                Later(length, () => world.Store.IsAway = false);
                break;
        }
    }

    private void Lose(NodeProcess node, TimeSpan length)
    {
        world.Lose(node);
        Mend(node, length, () => world.StartNode(node.Name));
    }

    private void Lose(GatewayProcess gateway, TimeSpan length)
    {
        world.Lose(gateway);
        world.StartGateway();
        Later(length / 2, () => world.Expel(gateway));
    }

    private GatewayProcess AnyGateway() => world.Gateways[world.Random.Next(world.Gateways.Count)];

    /// <summary>Drains a node. Nothing may be lost by it.</summary>
    private async Task Drain(NodeProcess node, TimeSpan length)
    {
        _broken.Add(node.Name);
        await node.Drain();
        Lose(node, length);
    }

    private async Task Drain(GatewayProcess gateway)
    {
        if (world.Gateways.Count < 3)
        {
            world.StartGateway();
        }

        await gateway.Drain();
        if (gateway.IsThere)
        {
            world.Lose(gateway);
            world.Expel(gateway);
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

    /// <summary>Does something later, at a tick.</summary>
    public void Later(TimeSpan after, Action what) => _later.Add((world.Time.GetUtcNow() + after, what));
}

/// <summary>What fails in a simulated cluster.</summary>
internal enum Fault
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
