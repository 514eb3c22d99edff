using System.Globalization;
using Herd.Contracts.Errors;
using Herd.Gateway.Tenants;
using Herd.Grains.Accounting.Ledger;
using Herd.V1;
using Ledger = Herd.Grains.Accounting.Ledger;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.Grpc;

/// <summary>Lists the usage of a tenant; for operators and readers, that of all tenants.</summary>
internal sealed class UsageListing(IUsageLedger ledger, UsageRecorder recorder, TimeProvider time)
{
    private const int MaxDays = 366;
    private const int MaxTurns = 10_000;

    /// <exception cref="HerdException">A day is invalid, or the caller may not see the tenant.</exception>
    public async Task<ListUsageResponse> List(ListUsageRequest request, HttpContext caller)
    {
        var today = UsageDay.From(time.GetUtcNow());
        var last = request.HasTo ? Day(request.To, "to") : today;
        var first = request.HasFrom ? Day(request.From, "from") : last;
        var days = last.DayNumber - first.DayNumber + 1;
        Require(days is >= 1 and <= MaxDays, $"'from' must be 0 to {MaxDays - 1} days before 'to'.", "from");
        var tenant = TenantOf(request, caller);
        Require(
            request.Turns == TurnFilter.Unspecified || tenant is not null,
            "'turns' needs a 'tenant'. Name the one whose turns to list.",
            "tenant");

        // What this gateway computed until now is included.
        await recorder.Flush();
        var response = new ListUsageResponse();
        for (var day = first; day <= last; day = day.AddDays(1))
        {
            var sums = await ledger.Read(day);
            response.Sums.Add(sums
                .Where(sum => tenant is null || sum.Tenant == tenant)
                .Where(sum => sum.Turns != 0 || sum.PromptTokens != 0 || sum.CompletionTokens != 0)
                .OrderBy(sum => (sum.Tenant, sum.Key, sum.Model, sum.State))
                .Select(ToProto));
            if (request.Turns != TurnFilter.Unspecified)
            {
                await AddTurns(response, day, tenant!, request);
            }
        }

        return response;
    }

    private async Task AddTurns(ListUsageResponse response, DateOnly day, string tenant, ListUsageRequest request)
    {
        var conversation = request.HasConversationId ? request.ConversationId : null;
        await foreach (var turn in ledger.ReadTurns(day, tenant, conversation))
        {
            if (request.Turns == TurnFilter.All || turn.State != Ledger.UsageState.Completed)
            {
                Require(
                    response.Turns.Count < MaxTurns,
                    $"There are more than {MaxTurns} turns. Ask for those of a conversation.",
                    "turns");
                response.Turns.Add(ToProto(turn));
            }
        }
    }

    /// <summary>The tenant whose usage is listed; null means all.</summary>
    private static string? TenantOf(ListUsageRequest request, HttpContext caller)
    {
        var isOperator = caller.User.IsInRole(TenantIdentity.OperatorRole)
            || caller.User.IsInRole(TenantIdentity.ReaderRole);
        var own = caller.Tenant().Name;
        return isOperator ? (request.HasTenant ? request.Tenant : null)
            : !request.HasTenant || request.Tenant == own ? own
            : throw new HerdException(
                HerdError.Forbidden,
                "The usage of other tenants is for operators and readers. Leave 'tenant' out to see your own.",
                "tenant");
    }

    private static DateOnly Day(string text, string name) =>
        DateOnly.TryParseExact(text, UsageDay.Format, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            ? day
            : throw Bad($"'{name}' must be a day such as 2026-01-31.", name);

    private static V1.UsageSum ToProto(Ledger.UsageSum sum) => new()
    {
        Day = UsageDay.ToText(sum.Day),
        Tenant = sum.Tenant,
        Key = sum.Key,
        Model = sum.Model,
        State = ToProto(sum.State),
        Turns = sum.Turns,
        PromptTokens = sum.PromptTokens,
        CachedTokens = sum.CachedTokens,
        CompletionTokens = sum.CompletionTokens,
    };

    private static TurnUsage ToProto(UsageRecord turn)
    {
        var parts = turn.Turn.Split('/', 2);
        return new TurnUsage
        {
            Day = UsageDay.ToText(turn.Day),
            ConversationId = parts[0],
            TurnId = parts[^1],
            Key = turn.Key,
            Model = turn.Model,
            State = ToProto(turn.State),
            Usage = new Usage
            {
                PromptTokens = turn.Usage.PromptTokens,
                CachedTokens = turn.Usage.CachedTokens,
                CompletionTokens = turn.Usage.CompletionTokens,
            },
        };
    }

    private static V1.UsageState ToProto(Ledger.UsageState state) => (V1.UsageState)(state + 1);
}
