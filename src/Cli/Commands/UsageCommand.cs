using System.CommandLine;
using System.Globalization;
using Herd.Cli.Processes;
using Herd.V1;

namespace Herd.Cli.Commands;

/// <summary>herd usage: the tokens that tenants used, by day, key and model.</summary>
internal static class UsageCommand
{
    public static Command Create()
    {
        var from = new Option<string?>("--from") { Description = "The first day, in UTC.", HelpName = "YYYY-MM-DD" };
        var to = new Option<string?>("--to") { Description = "The last day; default today.", HelpName = "YYYY-MM-DD" };
        var all = new Option<bool>("--all")
        {
            Description = "All tenants, with the key of an operator or a reader (HERD_ADMIN_KEY).",
        };
        var tenant = new Option<string?>("--tenant")
        {
            Description = "One tenant, with such a key.", HelpName = "NAME",
        };
        var turns = new Option<bool>("--unfinished")
        {
            Description = "Lists the turns that are not completed, instead of sums.",
        };
        var json = new Option<bool>("--json") { Description = "As JSON." };
        var command = new Command(
            "usage", "Lists the tokens that were used, by day, tenant, key and model; of today by default.")
        {
            from, to, all, tenant, turns, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var request = new ListUsageRequest
            {
                Turns = parsed.GetValue(turns) ? TurnFilter.Unfinished : TurnFilter.Unspecified,
            };
            if (parsed.GetValue(from) is { } first)
            {
                request.From = first;
            }

            if (parsed.GetValue(to) is { } last)
            {
                request.To = last;
            }

            if (parsed.GetValue(tenant) is { } name)
            {
                request.Tenant = name;
            }

            var asOperator = parsed.GetValue(all) || request.HasTenant;
            using var gateway = new Gateway(key: asOperator ? GatewayAddress.Configured().AdminKey : null);
            var reply = await gateway.Conversations.ListUsageAsync(request, cancellationToken: cancellation);
            if (parsed.GetValue(turns))
            {
                Output.Write(
                    reply.Turns,
                    parsed.GetValue(json),
                    ("DAY", turn => turn.Day),
                    ("CONVERSATION", turn => turn.ConversationId),
                    ("TURN", turn => turn.TurnId),
                    ("KEY", turn => turn.Key),
                    ("MODEL", turn => turn.Model),
                    ("STATE", turn => turn.State.ToString().ToUpperInvariant()),
                    ("PROMPT", turn => Text(turn.Usage.PromptTokens)),
                    ("CACHED", turn => Text(turn.Usage.CachedTokens)),
                    ("COMPLETION", turn => Text(turn.Usage.CompletionTokens)));
                return 0;
            }

            Output.Write(
                reply.Sums,
                parsed.GetValue(json),
                ("DAY", sum => sum.Day),
                ("TENANT", sum => sum.Tenant),
                ("KEY", sum => sum.Key),
                ("MODEL", sum => sum.Model),
                ("STATE", sum => sum.State.ToString().ToUpperInvariant()),
                ("TURNS", sum => Text(sum.Turns)),
                ("PROMPT", sum => Text(sum.PromptTokens)),
                ("CACHED", sum => Text(sum.CachedTokens)),
                ("COMPLETION", sum => Text(sum.CompletionTokens)));
            return 0;
        });
        return command;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
