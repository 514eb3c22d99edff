using System.Text;
using Herd.Inference.Runtime;

namespace Herd.Inference.Tests;

/// <summary>A vocabulary of the 256 bytes, then one control token and one end-of-generation token.</summary>
internal sealed class ByteVocabulary : IVocabulary
{
    public const int Control = 256;
    public const int End = 257;
    public const string ControlName = "<|control|>";

    private static readonly byte[][] Pieces = [.. Enumerable.Range(0, 256).Select(b => new[] { (byte)b }), [], []];

    public int Count => Pieces.Length;

    public int? BeginningOfText => null;

    public string BeginningOfTextPiece => "";

    public string EndOfTextPiece => "";

    /// <summary>Finds the control token also if none is to be parsed, as llama.cpp finds user-defined ones.</summary>
    public int[] Tokenize(string text, bool parseSpecial)
    {
        var parts = text.Split(ControlName);
        return [.. parts.SelectMany(
            (part, i) => Encoding.UTF8.GetBytes(part).Select(b => (int)b).Prepend(Control).Skip(i == 0 ? 1 : 0))];
    }

    public ReadOnlySpan<byte> Bytes(int token) => Pieces[token];

    public string Name(int token) => token == Control ? ControlName : "";

    public bool IsEndOfGeneration(int token) => token == End;

    public bool IsSpecial(int token) => token >= Control;
}
