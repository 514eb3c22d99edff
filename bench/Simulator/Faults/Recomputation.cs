using Herd.Contracts;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Contracts.Nodes;
using Herd.Grains.Conversations.Turns;

namespace Herd.Simulator.Faults;

/// <summary>
/// Computes every answer once more on a node without faults. The text must be the same, because each token of the
/// simulated runtime is a function of all tokens before it.
/// </summary>
internal sealed class Recomputation(FaultWorld world)
{
    public const string Name = "reference";
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(100);

    private readonly IGrainFactory _grains = GrainCaller.Create(world, caller: null);

    public async Task Run(IEnumerable<Conversation> conversations)
    {
        world.StartNode(Name);
        foreach (var conversation in conversations)
        {
            for (var turn = 0; turn < conversation.Turns.Count; turn++)
            {
                var stored = conversation.Turns[turn];
                var tokens = await Answer(conversation, turn);
                world.Require(
                    tokens.SequenceEqual(stored.Answer.Tokens),
                    $"{stored.Id} has {stored.Answer.Tokens.Count} tokens, "
                        + $"and a node without faults answers differently, in {tokens.Count}");
            }
        }
    }

    private async Task<List<int>> Answer(Conversation conversation, int turn)
    {
        var asked = conversation.Turns[turn];
        var session = _grains.GetGrain<ISessionGrain>(
            GrainKey.Session(Name, "t", $"{conversation.Id}-{turn}", asked.Model!));
        var request = new SessionRequest
        {
            Epoch = 1,
            Turn = asked.Id,
            Messages = History.Prompt(conversation.System, [.. conversation.Turns.Take(turn + 1)], asked.Model!),
            Settings = asked.Settings,
        };
        while (true)
        {
            try
            {
                var tokens = new List<int>();
                await foreach (var update in session.Generate(request, CancellationToken.None))
                {
                    tokens.AddRange(update.Tokens);
                }

                return tokens;
            }
            catch (HerdException e) when (e.Error == HerdError.Unavailable)
            {
                // The node's model is not loaded yet.
                await Task.Delay(Again, world.Time);
            }
        }
    }
}
