using System.Text;
using Herd.Inference.Runtime;

namespace Herd.Inference.Text;

/// <summary>
/// Converts the tokens of an answer to text: whole characters only, without text that may belong to a stop sequence.
/// The text released after n tokens depends on these tokens alone, so another node can rebuild it from them.
/// </summary>
internal sealed class AnswerText(IVocabulary vocabulary, IReadOnlyList<string> stops)
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly StopMatcher _stops = new(stops);
    private char[] _characters = new char[256];

    /// <summary>True if a stop sequence was found.</summary>
    public bool Stopped => _stops.Stopped;

    /// <summary>Appends the next token.</summary>
    /// <returns>The text that is certain now: often that of the token, sometimes none or more.</returns>
    public string Append(int token) => _stops.Append(Decode(vocabulary.Bytes(token), flush: false));

    /// <summary>Returns the rest of the text. An incomplete character becomes U+FFFD.</summary>
    public string Flush()
    {
        var rest = _stops.Append(Decode([], flush: true));
        return rest + _stops.Flush();
    }

    private string Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        var max = _decoder.GetCharCount(bytes, flush);
        if (max > _characters.Length)
        {
            _characters = new char[max];
        }

        var count = _decoder.GetChars(bytes, _characters, flush);
        return new string(_characters, 0, count);
    }
}
