using System.Text;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Grains.Conversations;
using Herd.Grains.Conversations.Storage;

namespace Herd.Simulator.Faults;

/// <summary>
/// One client takes some turns of a conversation while nodes are killed, frozen and drained, gateways lost (their code runs on, as
/// that of one does that was cut off), and the store comes and goes. In the end every answer must have been streamed and stored
/// once, whole, whatever happened.
/// </summary>
internal sealed class FaultRun
{
    private const int Turns = 3;
    private static readonly TimeSpan Most = TimeSpan.FromMinutes(10);

    private readonly FaultWorld _world;
    private readonly Dictionary<FaultyNode, double> _mend = [];
    private readonly Dictionary<string, string> _streamed = [];
    private double _storeBack;
    private int _faults;
    private bool _loseGateway;

    private readonly double _faultsEnd;

    private FaultRun(int seed)
    {
        _world = new FaultWorld(seed);

        // After that everything is mended, and whoever still waits does so for nothing.
        _faultsEnd = Now + 60;
    }

    private double Now => (_world.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalSeconds;

    /// <returns>How many faults there were, and what is wrong.</returns>
    public static (int Faults, IReadOnlyList<string> Violations) Run(int seed)
    {
        var run = new FaultRun(seed);
        using var pump = new Pump(run._world.Time);
        try
        {
            pump.Run(run.Talk, run.Break, Most);
        }
        catch (Exception e) when (e is TimeoutException or HerdException)
        {
            run._world.Require(false, e.Message);
        }

        return (run._faults, [.. run._world.Violations.Select(violation => $"seed {seed}: {violation}")]);
    }

    private async Task Talk()
    {
        for (var turn = 0; turn < Turns; turn++)
        {
            await Take($"turn-{turn}");
        }

        _world.IsStoreAway = false;
        var stored = _world.Stored!;
        _world.Require(stored.Turns.Select(turn => turn.Id).SequenceEqual(Enumerable.Range(0, Turns).Select(i => $"turn-{i}")), "turns are missing, or in another order");
        foreach (var turn in stored.Turns)
        {
            _world.Require(turn.State == TurnState.Completed, $"{turn.Id} is stored as {turn.State}");
            _world.Require(turn.Answer.Text == _streamed[turn.Id], $"the answer of {turn.Id} was streamed as another than is stored");
        }
    }

    /// <summary>Asks until there is an answer, each time with what it has of it.</summary>
    private async Task Take(string id)
    {
        var text = new StringBuilder();
        var offset = AnswerOffset.Start;
        while (true)
        {
            var isLost = false;
            var events = new TurnEvents();
            var answering = Answer(id, offset, events);
            try
            {
                while (await events.Reader.WaitToReadAsync())
                {
                    if (_loseGateway)
                    {
                        // What it delivers from now on reaches nobody.
                        (_loseGateway, isLost) = (false, true);
                        break;
                    }

                    while (events.Reader.TryRead(out var update))
                    {
                        text.Append(update.Delta?.Text);
                        offset = update.Delta is { } delta ? offset.After(delta) : offset;
                    }
                }

                if (!isLost && await answering)
                {
                    _streamed[id] = text.ToString();
                    _world.Require(offset.Tokens == FaultWorld.Length(id), $"{offset.Tokens} tokens of {id} were counted, {FaultWorld.Length(id)} produced");
                    return;
                }
            }
            catch (HerdException e) when (e.Error == HerdError.AnswerLost)
            {
                // Gateway and node were lost at once: the answer begins anew, and what the client has of it too.
                text.Clear();
                offset = AnswerOffset.Start;
            }
            catch (HerdException e) when (e.Error is HerdError.Conflict or HerdError.Fenced or HerdError.Unavailable or HerdError.StoreUnavailable)
            {
                // As a client does, once more.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), _world.Time);
        }
    }

    /// <summary>What a gateway does for a turn, in a conversation that it has just activated.</summary>
    /// <returns>Whether the answer is complete and stored.</returns>
    private async Task<bool> Answer(string id, AnswerOffset offset, TurnEvents events)
    {
        try
        {
            using var transcript = new Transcript(_world, "t", "c");
            await transcript.Load(CancellationToken.None);
            var conversation = transcript.Conversation ?? new Conversation { Id = "c", Model = FaultWorld.Model, Created = _world.Time.GetUtcNow() };
            var turn = conversation.Turns.FirstOrDefault(known => known.Id == id);
            var isNew = turn is null;
            if (turn is null)
            {
                turn = new Turn
                {
                    Id = id, State = TurnState.Pending, Input = [], Created = _world.Time.GetUtcNow(), Model = FaultWorld.Model, Settings = new GenerationSettings(),
                };
                await transcript.Write(conversation with { Turns = [.. conversation.Turns, turn] }, conversation.Turns.Count, ConversationKind.Durable);
            }

            if (turn.State == TurnState.Completed)
            {
                new AnswerBuilder(turn, conversation.Epoch, offset, events).ThrowIfBehind();
                return true;
            }

            await _world.NewRunner().Answer(
                transcript, turn, ConversationKind.Durable, new TurnStart(offset, isNew), events, CancellationToken.None);
            while (!transcript.IsSaved)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(500), _world.Time);
                try
                {
                    await transcript.Flush();
                }
                catch (HerdException e) when (e.Error == HerdError.StoreUnavailable)
                {
                    // Again in a while.
                }
            }

            return true;
        }
        finally
        {
            events.End();
        }
    }

    /// <summary>Time passes: what is broken may be mended, and what works may break.</summary>
    private void Break()
    {
        foreach (var (node, at) in _mend.Where(broken => broken.Value <= Now).ToList())
        {
            _mend.Remove(node);
            node.Start();
            node.Thaw();
            _world.View.Update(node.Report());
        }

        _world.IsStoreAway &= _storeBack > Now;
        if (_faultsEnd < Now || _world.Random.Next(12) != 0)
        {
            return;
        }

        _faults++;
        var length = _world.Random.NextDouble() * 5;
        var victim = _world.Nodes[_world.Random.Next(_world.Nodes.Count)];
        switch (_world.Random.Next(6))
        {
            case 0 or 1 when !_mend.ContainsKey(victim):
                victim.Kill();
                _world.View.Lose(victim.Name);
                _mend[victim] = Now + length;
                break;
            case 2 when !_mend.ContainsKey(victim):
                victim.Freeze();
                _world.View.Lose(victim.Name);
                _mend[victim] = Now + length;
                break;
            case 3 when !_mend.ContainsKey(victim):
                victim.IsDraining = true;
                _world.View.Update(victim.Report());
                Later(victim, length);
                break;
            case 4:
                _loseGateway = true;
                break;
            case 5:
                _world.IsStoreAway = true;
                _storeBack = Now + length;
                break;
        }
    }

    /// <summary>A node that drains ends, and is started again.</summary>
    private void Later(FaultyNode node, double length)
    {
        _mend[node] = Now + length;
        _ = _world.Time.CreateTimer(
            _ =>
            {
                node.Kill();
                _world.View.Lose(node.Name);
            },
            null,
            TimeSpan.FromSeconds(length / 2),
            Timeout.InfiniteTimeSpan);
    }
}
