using System.Globalization;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Conversations;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.OpenAi;

/// <summary>
/// How much of which answer a stream has delivered. Sent as the id of its events; a client that lost its connection sends the
/// same request again with the last one as Last-Event-ID, and gets the rest.
/// </summary>
/// <param name="Session">The session that answers.</param>
/// <param name="Turn">The turn.</param>
/// <param name="Offset">The place in its answer.</param>
internal sealed record StreamPosition(string Session, string Turn, AnswerOffset Offset)
{
    public const string Header = "Last-Event-ID";

    /// <summary>The place after some more of the answer.</summary>
    public StreamPosition After(AnswerDelta delta) => this with { Offset = Offset.After(delta) };

    /// <returns>Null when the request begins anew.</returns>
    /// <exception cref="HerdException">The header is none that a stream sent.</exception>
    public static StreamPosition? From(IHeaderDictionary headers)
    {
        if (headers[Header].ToString() is not { Length: > 0 } text)
        {
            return null;
        }

        if (text.Split('.') is not [var session, var turn, var bytes, var tokens, var epoch, .. var rest]
            || rest is not ([] or [_])
            || !session.StartsWith(SessionIdentity.Prefix, StringComparison.Ordinal)
            || !long.TryParse(bytes, NumberStyles.None, CultureInfo.InvariantCulture, out var byteCount)
            || !int.TryParse(tokens, NumberStyles.None, CultureInfo.InvariantCulture, out var tokenCount)
            || !long.TryParse(epoch, NumberStyles.None, CultureInfo.InvariantCulture, out var epochNumber)
            || !ulong.TryParse(rest is [var digest] ? digest : "0", NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var digestNumber))
        {
            throw Bad($"'{Header}' is not the id of an event that was sent; leave it out.", Header);
        }

        SettingsRules.CheckTurnId(turn);
        return new StreamPosition(session, turn, new AnswerOffset(byteCount, tokenCount, epochNumber) { Digest = digestNumber });
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Session}.{Turn}.{Offset.Bytes}.{Offset.Tokens}.{Offset.Epoch}.{Offset.Digest:x}");
}
