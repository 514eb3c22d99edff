using System.Text;
using Herd.Inference.Runtime;

namespace Herd.Inference.Text;

/// <summary>
/// The text of an answer as its tokens arrive: whole characters only, and nothing that may be part of a stop sequence.
/// What is released after n tokens depends on these tokens alone, so an answer that goes on elsewhere is rebuilt from them.
/// </summary>
internal sealed class AnswerText(IVocabulary vocabulary, IReadOnlyList<string> stops)
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly StopMatcher _stops = new(stops);
    private char[] _characters = new char[256];

    /// <summary>Whether a stop sequence has been seen.</summary>
    public bool Stopped => _stops.Stopped;

    /// <summary>Takes the next token.</summary>
    /// <returns>The text it releases, often the token's own, sometimes none or more.</returns>
    public string Append(int token) => _stops.Append(Decode(vocabulary.Bytes(token), flush: false));

    /// <summary>Releases the rest. A character that was never completed becomes U+FFFD.</summary>
    public string Flush()
    {
        var rest = _stops.Append(Decode([], flush: true));
        return rest + _stops.Flush();
    }

    private string Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        var most = _decoder.GetCharCount(bytes, flush);
        if (most > _characters.Length)
        {
            _characters = new char[most];
        }

        var count = _decoder.GetChars(bytes, _characters, flush);
        return new string(_characters, 0, count);
    }
}
