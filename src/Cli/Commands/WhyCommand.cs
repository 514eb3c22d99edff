using System.CommandLine;
using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Herd.V1;

namespace Herd.Cli.Commands;

/// <summary>herd why: where a conversation was placed, and why there.</summary>
internal static class WhyCommand
{
    public static Command Create()
    {
        var conversation = new Argument<string>("conversation") { Description = "The conversation." };
        var json = new Option<bool>("--json") { Description = "As JSON." };
        var command = new Command("why", "Says where a conversation was placed, and what was foreseen there and elsewhere.") { conversation, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var gateway = new Gateway();
            var reply = await gateway.Conversations.ExplainPlacementAsync(
                new ExplainPlacementRequest { ConversationId = parsed.GetValue(conversation)! }, cancellationToken: cancellation);
            Output.Write(
                reply.Placements,
                parsed.GetValue(json),
                ("TIME", placement => placement.Time.ToDateTime().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture)),
                ("REASON", placement => placement.Reason.ToString()),
                ("POLICY", placement => placement.Policy),
                ("NODE", placement => placement.Node),
                ("HOME", placement => placement.Home),
                ("FORESEEN, MS: QUEUE + KV + CROWDING", placement => string.Join("; ", placement.Considered.Select(Describe))),
                ("MOVED", Moved));
            return 0;
        });
        return command;
    }

    /// <summary>What was foreseen of a node.</summary>
    public static string Describe(Forecast forecast) => string.Create(
        CultureInfo.InvariantCulture,
        $"{forecast.Node} {Milliseconds(forecast.Queue)} + {Milliseconds(forecast.Kv)} {forecast.Origin} + {Milliseconds(forecast.Crowding)}{(forecast.Doubt > 1 ? $", x {forecast.Doubt:0.0} in doubt" : "")}");

    /// <summary>What came of bringing the KV cache; empty when it was not tried.</summary>
    public static string Moved(Placement placement) =>
        placement.Move is not { } move ? ""
        : move.Failure.Length > 0 ? $"not: {move.Failure}"
        : string.Create(CultureInfo.InvariantCulture, $"{move.Tokens} tokens, {move.Bytes >> 10} KiB in {Milliseconds(move.Duration)} ms");

    private static string Milliseconds(Duration duration) =>
        duration.ToTimeSpan().TotalMilliseconds.ToString("0.#", CultureInfo.InvariantCulture);
}
