using System.IO.Hashing;
using System.Text;
using Herd.Contracts.Conversations;

namespace Herd.Grains.Conversations.Failover;

/// <summary>
/// The position in an answer up to which the caller already received it. The answer passes through; only the part
/// behind the position is new. The digest of the text before it shows whether the caller has this answer or another
/// one.
/// </summary>
internal sealed class ResumePoint
{
    private readonly XxHash64 _digest = new();
    private long _bytesToSkip;
    private int _tokensToSkip;
    private ulong _callersDigest;

    /// <param name="offset">The caller's position.</param>
    /// <param name="epoch">
    /// The conversation's epoch as this gateway knows it. An offset without a digest from a later epoch may lie in an
    /// answer that is unknown here, so nothing of this answer continues it.
    /// </param>
    public ResumePoint(AnswerOffset offset, long epoch)
    {
        (_bytesToSkip, _tokensToSkip) = offset.Digest == 0 && offset.Epoch > epoch
            ? (long.MaxValue, int.MaxValue)
            : (offset.Bytes, offset.Tokens);
        _callersDigest = offset.Digest;
    }

    /// <summary>
    /// True if the answer so far does not reach the position, or is another answer than the caller's.
    /// </summary>
    public bool IsLost => _bytesToSkip > 0 || IsOtherAnswer;

    /// <summary>True if the caller has another answer; nothing is delivered then.</summary>
    public bool IsOtherAnswer { get; private set; }

    /// <summary>XXH64 of the answer's text so far, in UTF-8.</summary>
    public ulong Digest => _digest.GetCurrentHashAsUInt64();

    /// <summary>Advances by more of the answer.</summary>
    /// <returns>The text behind the position, and how many of the tokens lie before it.</returns>
    public (string Fresh, int SkippedTokens) Advance(string text, int tokens)
    {
        var at = 0;
        while (_bytesToSkip > 0 && at < text.Length)
        {
            var rune = Rune.GetRuneAt(text, at);
            _bytesToSkip -= rune.Utf8SequenceLength;
            at += rune.Utf16SequenceLength;
        }

        _digest.Append(Encoding.UTF8.GetBytes(text[..at]));
        if (_bytesToSkip <= 0 && _callersDigest != 0)
        {
            IsOtherAnswer = _callersDigest != Digest;
            _callersDigest = 0;
        }

        // Deliveries end between characters. A position within a character lies in another answer.
        IsOtherAnswer |= _bytesToSkip < 0;

        var fresh = text[at..];
        _digest.Append(Encoding.UTF8.GetBytes(fresh));
        var skipped = Math.Min(_tokensToSkip, tokens);
        _tokensToSkip -= skipped;
        return (fresh, skipped);
    }
}
