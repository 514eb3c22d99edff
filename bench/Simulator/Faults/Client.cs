using System.Text;
using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Grains.Hosting;

namespace Herd.Simulator.Faults;

/// <summary>
/// A client with a conversation. It calls any gateway, and calls again with its offset in the answer.
/// </summary>
internal sealed class Client(string conversation, int turns, FaultWorld world)
{
    private const string Tenant = "t";
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Underway = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(3);

    private readonly Dictionary<string, string> _answers = [];
    private readonly IGrainFactory _grains = GrainCaller.Create(world, caller: null);

    public string Conversation => conversation;

    /// <summary>The streamed text, by turn.</summary>
    public IReadOnlyDictionary<string, string> Answers => _answers;

    public async Task Talk()
    {
        await Insist(async grain =>
        {
            await grain.Create(null, "You answer.", CancellationToken.None);
            return true;
        });
        for (var turn = 0; turn < turns; turn++)
        {
            var id = $"{conversation}-{turn}";
            await Take(id, $"Question {turn} of {conversation}: {new string('x', world.Random.Next(40))}");
            await Insist(grain => Read(grain, id));

            // The idle session may migrate now.
            await Task.Delay(TimeSpan.FromSeconds(world.Random.NextDouble() * 4), world.Time);
        }
    }

    /// <summary>Sends a request until there is an answer.</summary>
    private async Task Take(string id, string question)
    {
        var (text, offset) = (new StringBuilder(), AnswerOffset.Start);
        var (began, delivered) = (world.Time.GetUtcNow(), world.Time.GetUtcNow());
        var settings = new GenerationSettings
        {
            Temperature = world.Random.Next(2), Seed = (ulong)world.Random.Next(), MaxTokens = 60,
        };
        await Insist(async grain =>
        {
            try
            {
                var request = new TurnRequest
                {
                    TurnId = id, Input = [new Message(Role.User, question)], Settings = settings, Offset = offset,
                };
                await foreach (var update in grain.Converse(request, CancellationToken.None))
                {
                    text.Append(update.Delta?.Text);
                    (offset, delivered) = update.Delta is { } delta
                        ? (offset.After(delta), world.Time.GetUtcNow())
                        : (offset, delivered);
                    if (update is { Completed: { } turn, IsUnsaved: false })
                    {
                        _answers[id] = text.ToString();
                        world.Require(
                            turn.Answer!.Text == _answers[id],
                            $"{id} was streamed as another answer than it was completed with");
                        world.Require(
                            offset.Tokens == turn.Usage!.CompletionTokens,
                            $"{offset.Tokens} tokens of {id} were delivered, {turn.Usage.CompletionTokens} produced");
                    }
                }

                // A turn that is not stored yet is requested again.
                return _answers.ContainsKey(id);
            }
            catch (HerdException e) when (e.Error == HerdError.AnswerLost || e.Parameter == "resume")
            {
                // Gateway and node were lost together, or the gateway while the store was absent: the answer restarts.
                world.Require(
                    world.IsHarmed(FaultyStore.Name, began)
                        || world.Store.Homes(conversation, offset.Epoch).Any(
                            node => world.IsHarmed(node, delivered - Underway)),
                    $"the answer of {id} is lost, although neither a node with it nor the store failed");
                world.Watch.Restarted++;
                text.Clear();
                offset = AnswerOffset.Start;
                return false;
            }
        });
    }

    /// <summary>A gateway that answers has the turn, unless it cannot ask the store.</summary>
    private async Task<bool> Read(IConversationGrain grain, string turn)
    {
        var (began, wasAway) = (world.Time.GetUtcNow(), world.Store.IsAway);
        var read = await grain.Read(CancellationToken.None);
        world.Require(
            wasAway || world.Store.LastAway >= began
                || read.Turns.Any(stored => stored.Id == turn && stored.State == TurnState.Completed),
            $"{turn} was acknowledged and is not there to read");
        return true;
    }

    /// <summary>Calls one gateway after another.</summary>
    private async Task Insist(Func<IConversationGrain, Task<bool>> ask)
    {
        while (true)
        {
            var pause = Again;
            try
            {
                if (world.Gateways.Count > 0
                    && await ask(_grains.GetGrain<IConversationGrain>(GrainKey.Conversation(Tenant, conversation))))
                {
                    return;
                }
            }
            catch (HerdException e) when (
                e.Error is HerdError.Conflict or HerdError.Fenced or HerdError.Unavailable or HerdError.StoreUnavailable
                    or HerdError.TurnInProgress)
            {
                // Try again.
            }
            catch (HerdException e) when (e.Error == HerdError.PoisonTurn)
            {
                world.Require(
                    world.Suspects.Contents.Values.Any(
                        content => content.Conversation == conversation
                            && content.IsSuspect),
                    $"a turn of {conversation} is called poison, although too few nodes failed");
                world.Watch.RefusedByChance++;
                pause = e.Retry!.Value;
            }
            catch (Exception e) when (CallFailure.IsTransient(e))
            {
                // The gateway is gone or slow. A client needs a while to find another one.
                pause = Longest * world.Random.NextDouble();
            }

            await Task.Delay(pause, world.Time);
        }
    }
}
