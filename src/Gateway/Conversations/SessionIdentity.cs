using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Gateway.Generation;
using Herd.Gateway.Hosting;
using Microsoft.Extensions.Options;

namespace Herd.Gateway.Conversations;

/// <summary>
/// Finds the session of a stateless request. The first configured source with a value names it. Without one, the
/// messages up to the first one of the user do: they are the same in each request of a chat.
/// </summary>
internal sealed class SessionIdentity(IOptions<GatewayOptions> options)
{
    private const int MaxLength = 64;

    private readonly IReadOnlyList<string> _sources = options.Value.SessionIdentity is { Count: > 0 } configured
        ? [.. configured]
        : GatewayOptions.DefaultSessionIdentity;

    /// <summary>A new random id, for a session with one request.</summary>
    public static string NewId() =>
        ConversationId.CallerKeptPrefix + RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>True if a text has the form of a session's id, with or without its shard.</summary>
    public static bool IsSession(string id) =>
        id.StartsWith(ConversationId.CallerKeptPrefix, StringComparison.Ordinal)
        && id.Length <= MaxLength
        && id.Skip(ConversationId.CallerKeptPrefix.Length).All(c => char.IsAsciiLetterOrDigit(c) || c == '_');

    /// <summary>The id of the session. It is a hash and does not reveal its source.</summary>
    /// <param name="body">The fields of the request that have no other use in Herd.</param>
    /// <param name="turn">The requested turn.</param>
    /// <param name="headers">The request's headers.</param>
    public string From(IReadOnlyDictionary<string, JsonElement>? body, TurnRequest turn, IHeaderDictionary headers)
    {
        var (source, value) = _sources
            .Select(source => (source, value: Read(source, body, headers)))
            .FirstOrDefault(found => !string.IsNullOrEmpty(found.value));
        return value is null ? From(Beginning(turn)) : From(source!, value);
    }

    /// <summary>The id of the session that a source names with this value.</summary>
    public static string From(string source, string value) => From($"{source}\n{value}");

    private static string From(string name) =>
        ConversationId.CallerKeptPrefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)))[..32];

    private static string? Read(
        string source, IReadOnlyDictionary<string, JsonElement>? body, IHeaderDictionary headers)
    {
        var name = source[(source.IndexOf(':', StringComparison.Ordinal) + 1)..];
        if (source.StartsWith("header:", StringComparison.Ordinal))
        {
            return headers[name];
        }

        var path = name.Split('.');
        if (body is null || !body.TryGetValue(path[0], out var value))
        {
            return null;
        }

        var found = path.Skip(1).Aggregate(new Field<JsonElement?>(path[0], value), MemberOrNone);
        found = found.Kind() == JsonValueKind.String ? found : MemberOrNone(found, "id");
        return found.Kind() == JsonValueKind.String ? found.Text() : null;
    }

    /// <summary>A member of an object; missing if the value is no object, for some clients use these names.</summary>
    private static Field<JsonElement?> MemberOrNone(Field<JsonElement?> field, string name) =>
        field.Kind() == JsonValueKind.Object ? field.Member(name) : default;

    private static string Beginning(TurnRequest turn)
    {
        var end = turn.Input.TakeWhile(message => message.Role != Role.User).Count() + 1;
        var text = new StringBuilder().Append(turn.Model).Append('\n');
        foreach (var message in turn.Input.Take(end))
        {
            text.Append((int)message.Role).Append(' ').Append(message.Text.Length).Append(' ').Append(message.Text);
        }

        return text.ToString();
    }
}
