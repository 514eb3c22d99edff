using System.CommandLine;
using System.Globalization;
using Google.Protobuf.WellKnownTypes;
using Herd.V1;

namespace Herd.Cli.Commands;

/// <summary>herd why: explains the placements of a conversation.</summary>
internal static class WhyCommand
{
    public static Command Create()
    {
        var conversation = new Argument<string>("conversation") { Description = "The conversation." };
        var json = new Option<bool>("--json") { Description = "As JSON." };
        var command = new Command(
            "why",
            "Explains the placements of a conversation: node, reason, and the predicted time to the first token.")
        {
            conversation, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var gateway = new Gateway();
            var reply = await gateway.Conversations.ExplainPlacementAsync(
                new ExplainPlacementRequest { ConversationId = parsed.GetValue(conversation)! },
                cancellationToken: cancellation);
            Output.Write(
                reply.Placements,
                parsed.GetValue(json),
                ("TIME", placement =>
                    placement.Time.ToDateTime().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture)),
                ("REASON", placement => placement.Reason.ToString()),
                ("POLICY", placement => placement.Policy),
                ("NODE", placement => placement.Node),
                ("HOME", placement => placement.Home),
                ("PREDICTED, MS: QUEUE + KV + CONTENTION", placement =>
                    string.Join("; ", placement.Considered.Select(Describe))),
                ("MOVED", Moved));
            return 0;
        });
        return command;
    }

    /// <summary>The estimate for a node.</summary>
    public static string Describe(Forecast estimate) => string.Create(
        CultureInfo.InvariantCulture,
        $"{estimate.Node} {Milliseconds(estimate.Queue)} + {Milliseconds(estimate.Kv)} {estimate.Origin} "
        + $"+ {Milliseconds(estimate.DecodeContention)}{Stale(estimate.StalenessPenalty)}");

    /// <summary>The result of the pull; empty if none was tried.</summary>
    public static string Moved(Placement placement) =>
        placement.Move is not { } move ? ""
        : move.Failure.Length > 0 ? $"not: {move.Failure}"
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{move.Tokens} tokens, {move.Bytes >> 10} KiB in {Milliseconds(move.Duration)} ms");

    private static string Stale(double penalty) =>
        penalty > 1 ? string.Create(CultureInfo.InvariantCulture, $", x {penalty:0.0} for an old report") : "";

    /// <param name="duration">Null from a gateway of an older version.</param>
    private static string Milliseconds(Duration? duration) =>
        duration is null ? "?" : duration.ToTimeSpan().TotalMilliseconds.ToString("0.#", CultureInfo.InvariantCulture);
}
