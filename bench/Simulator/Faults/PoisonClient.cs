using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Hosting;

namespace Herd.Simulator.Faults;

/// <summary>
/// A client whose message fails each node that computes it. It must be refused in the end, and at most two nodes may
/// have failed by it, and one more for each gateway that was lost with what it knew.
/// </summary>
internal sealed class PoisonClient(FaultWorld world, FaultInjector injector)
{
    private const string Tenant = "t";
    private const string Text = "This message is poison.";
    private const int MaxNodes = 2;
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(200);

    /// <summary>The time until a killed node is back. A hang is three times as long, and noticed.</summary>
    private static readonly TimeSpan Repair = TimeSpan.FromSeconds(4);

    private readonly HashSet<string> _failed = [];
    private int _turn;
    private readonly IGrainFactory _grains = GrainCaller.Create(world, caller: null);

    /// <summary>True if the message was refused.</summary>
    public bool IsRefused { get; private set; }

    /// <summary>Fails a node that computes the message.</summary>
    public void Computes(NodeProcess node, SessionRequest request)
    {
        if (request.Messages.Any(message => message.Text == Text))
        {
            _failed.Add(node.Name);
            FailWhenWhole(node, world.Random.Next(2) == 0 ? Fault.Kill : Fault.Hang);
        }
    }

    public async Task Talk()
    {
        var begun = world.Time.GetUtcNow();
        await Send("poison");
        var failed = _failed.Count;
        world.Require(
            failed <= MaxNodes + injector.GatewayFaults || world.IsHarmed(FaultyStore.Name, begun),
            $"a poison turn failed {string.Join(", ", _failed)}");
        await Send("poison-again");
        world.Require(
            _failed.Count == failed || world.IsHarmed(FaultyStore.Name, begun),
            "poison was computed after it was refused");
        IsRefused = true;
    }

    /// <summary>A node that is broken fails when it is repaired. One that drains leaves before that.</summary>
    private void FailWhenWhole(NodeProcess node, Fault fault) => injector.Later(TimeSpan.Zero, () =>
    {
        if (injector.IsWhole(node))
        {
            injector.Break(fault, node, Repair);
        }
        else if (node.IsThere)
        {
            FailWhenWhole(node, fault);
        }
    });

    /// <summary>Sends the message until it is refused.</summary>
    private async Task Send(string conversation)
    {
        while (true)
        {
            try
            {
                if (world.Gateways.Count > 0)
                {
                    await Converse(_grains.GetGrain<IConversationGrain>(GrainKey.Conversation(Tenant, conversation)));
                }
            }
            catch (HerdException e) when (e.Error == HerdError.PoisonTurn)
            {
                return;
            }
            catch (Exception e) when (e is HerdException || CallFailure.IsTransient(e))
            {
                // Try again.
            }

            await Task.Delay(Again, world.Time);
        }
    }

    private async Task Converse(IConversationGrain grain)
    {
        await grain.Create(null, null, CancellationToken.None);
        var request = new TurnRequest
        {
            TurnId = $"{_turn}",
            Input = [new Message(Role.User, Text)],
            Settings = new GenerationSettings { MaxTokens = 60 },
        };
        await foreach (var update in grain.Converse(request, CancellationToken.None))
        {
            if (update.Completed is not null)
            {
                // A node that drained computed it, which holds nothing against it.
                _turn++;
                _failed.Clear();
            }
        }
    }
}
