using System.Text;
using Herd.Inference.Runtime;

namespace Herd.Inference.Tests.Grammars;

/// <summary>
/// The 256 bytes, pieces of JSON that cross its structure, one control token and one end-of-generation token.
/// </summary>
internal sealed class PieceVocabulary : IVocabulary
{
    private static readonly string[] Texts =
    [
        "[[", "]]", "[[[", "]]]", "[\"", "\"]", "\",", "\",\"", "\":", "\": \"", "{\"", "\"}", "}}", "]}", "}]", ",\"",
        "null", "true", "tru", "se", "10", "-1", "1.5", "00", "0,", "1]", "2}", ": ", ", ", "\n", "\n  ", "    ", "ab",
        "abc", "ba", "a\"", "é", "日本", "\\u", "\\u00", "\\n", "\\\\\"", "ab\",\"a", "]]]]]]", "\"],[\"", "\":{\"",
    ];

    private readonly byte[][] _pieces =
        [.. Enumerable.Range(0, 256).Select(b => new[] { (byte)b }), .. Texts.Select(Encoding.UTF8.GetBytes), [], []];

    public int Count => _pieces.Length;

    public int End => Count - 1;

    public int? BeginningOfText => null;

    public string BeginningOfTextPiece => "";

    public string EndOfTextPiece => "";

    public int[] Tokenize(string text, bool parseSpecial) => [.. Encoding.UTF8.GetBytes(text).Select(b => (int)b)];

    public ReadOnlySpan<byte> Bytes(int token) => _pieces[token];

    public string Name(int token) => "";

    public bool IsEndOfGeneration(int token) => token == End;

    public bool IsSpecial(int token) => token >= Count - 2;
}
