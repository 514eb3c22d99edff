using System.Globalization;

namespace Herd.Gateway.Tenants;

/// <summary>The audit trail: lines of the category Herd.Audit in this process' log.</summary>
internal sealed class Audit(ILoggerFactory loggers)
{
    private const int MaxLength = 256;
    private static readonly object Subject = new();
    private readonly ILogger _logger = loggers.CreateLogger("Herd.Audit");

    /// <summary>Names what a call is about, for its line: names and ids.</summary>
    public static void Describe(HttpContext context, string subject) => context.Items[Subject] = subject;

    public void Called(HttpContext context, string result)
    {
        var identity = context.User.Identities.OfType<TenantIdentity>().FirstOrDefault();
        var who = identity is null ? "An unknown caller"
            : identity.AuthenticationType == AccessPolicies.OperatorScheme ? identity.Tenant.Name
            : $"tenant '{identity.Tenant.Name}'";
        AuditLog.Called(
            _logger,
            Clean(who),
            $"{context.Connection.RemoteIpAddress}",
            Clean(context.Request.Path.Value?.Split('/')[^1] ?? ""),
            Clean(context.Items[Subject] as string ?? "-"),
            result);
    }

    public void TenantChanged(string file, string tenant, string change) =>
        AuditLog.TenantChanged(_logger, file, Clean(tenant), change);

    public void TenantsNotChanged(string file, string reason) =>
        AuditLog.TenantsNotChanged(_logger, file, Clean(reason));

    /// <summary>A caller's text, short and on one line, so that it cannot forge lines.</summary>
    private static string Clean(string text) =>
        string.Concat((text.Length <= MaxLength ? text : text[..MaxLength] + "...").Select(
            letter => IsVisible(CharUnicodeInfo.GetUnicodeCategory(letter)) ? letter : '?'));

    private static bool IsVisible(UnicodeCategory category) => category is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}

internal static partial class AuditLog
{
    [LoggerMessage(
        EventId = 830,
        Level = LogLevel.Information,
        Message = "{Who} from {Address} called {Call} ({Subject}): {Result}")]
    public static partial void Called(
        ILogger logger, string who, string address, string call, string subject, string result);

    [LoggerMessage(EventId = 831, Level = LogLevel.Information, Message = "{File}: the tenant '{Tenant}' {Change}: OK")]
    public static partial void TenantChanged(ILogger logger, string file, string tenant, string change);

    [LoggerMessage(EventId = 832, Level = LogLevel.Error, Message = "{File}: no tenant changed: {Reason}")]
    public static partial void TenantsNotChanged(ILogger logger, string file, string reason);
}
