using System.Globalization;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Conversations;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.OpenAi;

/// <summary>
/// The position in an answer that a stream has reached. It is the id of the stream's events. After a lost connection,
/// the client sends the same request again with the last id as Last-Event-ID, and receives the rest.
/// </summary>
/// <param name="Session">The session.</param>
/// <param name="Turn">The turn.</param>
/// <param name="Offset">The position in its answer.</param>
internal sealed record StreamPosition(string Session, string Turn, AnswerOffset Offset)
{
    public const string Header = "Last-Event-ID";

    /// <summary>The position after another part of the answer.</summary>
    public StreamPosition After(AnswerDelta delta) => this with { Offset = Offset.After(delta) };

    /// <returns>Null if the request starts a new turn.</returns>
    /// <exception cref="HerdException">The header is invalid.</exception>
    public static StreamPosition? From(IHeaderDictionary headers)
    {
        if (headers[Header].ToString() is not { Length: > 0 } text)
        {
            return null;
        }

        if (text.Split('.') is not [var session, var turn, var bytes, var tokens, var epoch, .. var rest]
            || rest is not ([] or [_])
            || !SessionIdentity.IsSession(session)
            || !long.TryParse(bytes, NumberStyles.None, CultureInfo.InvariantCulture, out var byteCount)
            || !int.TryParse(tokens, NumberStyles.None, CultureInfo.InvariantCulture, out var tokenCount)
            || !long.TryParse(epoch, NumberStyles.None, CultureInfo.InvariantCulture, out var epochNumber)
            || !ulong.TryParse(
                rest is [var digest] ? digest : "0",
                NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture,
                out var digestNumber))
        {
            throw Bad($"'{Header}' is not the id of an event of a stream. Leave it out to start a new answer.", Header);
        }

        TurnLimits.CheckTurnId(turn);
        return new StreamPosition(
            session, turn, new AnswerOffset(byteCount, tokenCount, epochNumber) { Digest = digestNumber });
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Session}.{Turn}.{Offset.Bytes}.{Offset.Tokens}.{Offset.Epoch}.{Offset.Digest:x}");
}
