using System.Security.Claims;
using System.Text.Encodings.Web;
using Herd.Contracts.Errors;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Tenants;

/// <summary>The keys of an authentication scheme.</summary>
internal sealed class ApiKeyOptions : AuthenticationSchemeOptions
{
    /// <summary>
    /// Finds the tenant of a request by its key. The key is null if the request has none. The result is null if the
    /// scheme does not have the key.
    /// </summary>
    public Func<HttpContext, string?, Task<Tenant?>> Find { get; set; } = (_, _) => Task.FromResult<Tenant?>(null);

    /// <summary>The name of the key in errors.</summary>
    public string KeyName { get; set; } = "key";

    /// <summary>True if no key can be right, because the configuration has none.</summary>
    public bool IsEmpty { get; set; }
}

/// <summary>
/// Authenticates requests by a bearer token, or by the header that Anthropic's clients send. Refusals are exceptions:
/// <see cref="Errors.ErrorResponses"/> writes them in the form of the requested interface.
/// </summary>
internal sealed class ApiKeyHandler(IOptionsMonitor<ApiKeyOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<ApiKeyOptions>(options, logger, encoder)
{
    private const string Bearer = "Bearer";
    private const string KeyHeader = "x-api-key";

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (await Options.Find(Context, Key(Request.Headers)) is not { } tenant)
        {
            return AuthenticateResult.NoResult();
        }

        var principal = new ClaimsPrincipal(new TenantIdentity(tenant, Scheme.Name));
        return AuthenticateResult.Success(new AuthenticationTicket(principal, Scheme.Name));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = Bearer;
        throw new HerdException(
            HerdError.Unauthenticated,
            Options.IsEmpty
                ? $"This gateway has no {Options.KeyName}, so nobody may make this call. Set Gateway:AdminKeys."
                : $"The {Options.KeyName} is missing or unknown. Send it as 'Authorization: {Bearer} KEY'.");
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => throw new HerdException(
        HerdError.Forbidden,
        "This call is for operators, and this key is not one of theirs. Send a key of Gateway:AdminKeys, or one of a "
        + "tenant that is an operator.");

    private static string? Key(IHeaderDictionary headers)
    {
        var text = headers.Authorization.ToString();
        var key = text.StartsWith(Bearer + " ", StringComparison.OrdinalIgnoreCase)
            ? text[Bearer.Length..].Trim()
            : headers[KeyHeader].ToString();
        return key.Length > 0 ? key : null;
    }
}
