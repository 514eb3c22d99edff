using System.Runtime.InteropServices;
using System.Text;
using Herd.Inference.Runtime;
using Herd.LlamaCpp.Native;

namespace Herd.LlamaCpp;

/// <summary>The vocabulary of a model. Its pieces are read once. Valid until the model is disposed.</summary>
internal sealed unsafe class LlamaCppVocabulary : IVocabulary
{
    private readonly nint _vocab;
    private readonly byte[][] _pieces;
    private readonly bool[] _special;
    private readonly bool[] _ends;

    public LlamaCppVocabulary(nint vocab)
    {
        _vocab = vocab;
        var tokens = Enumerable.Range(0, Llama.VocabCount(vocab));
        _pieces = [.. tokens.Select(ReadPiece)];
        _special = [.. tokens.Select(token =>
            (Llama.VocabAttributes(vocab, token) & (TokenAttributes.Control | TokenAttributes.UserDefined)) != 0)];
        _ends = [.. tokens.Select(token => Llama.VocabIsEndOfGeneration(vocab, token))];
    }

    public int Count => _pieces.Length;

    public int? BeginningOfText =>
        Llama.VocabAddsBeginning(_vocab) && Llama.VocabBeginning(_vocab) is >= 0 and var token ? token : null;

    public string BeginningOfTextPiece => Llama.VocabBeginning(_vocab) is >= 0 and var token ? Name(token) : "";

    public string EndOfTextPiece => Llama.VocabEnd(_vocab) is >= 0 and var token ? Name(token) : "";

    public int[] Tokenize(string text, bool parseSpecial)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var tokens = new int[bytes.Length + 1];
        fixed (byte* source = bytes)
        fixed (int* target = tokens)
        {
            var count = Llama.Tokenize(
                _vocab, source, bytes.Length, target, tokens.Length, addSpecial: false, parseSpecial);
            if (count < 0)
            {
                throw new InvalidOperationException($"llama_tokenize returned {count} for {bytes.Length} bytes.");
            }

            return tokens[..count];
        }
    }

    public ReadOnlySpan<byte> Bytes(int token) => _pieces[token];

    public string Name(int token) => Marshal.PtrToStringUTF8((nint)Llama.VocabText(_vocab, token)) ?? "";

    public bool IsEndOfGeneration(int token) => _ends[token];

    public bool IsSpecial(int token) => _special[token];

    private byte[] ReadPiece(int token)
    {
        const int Usual = 128;
        var usual = stackalloc byte[Usual];
        var length = Llama.TokenToPiece(_vocab, token, usual, Usual, 0, special: false);
        if (length >= 0)
        {
            return new ReadOnlySpan<byte>(usual, length).ToArray();
        }

        var piece = new byte[-length];
        fixed (byte* buffer = piece)
        {
            Llama.TokenToPiece(_vocab, token, buffer, piece.Length, 0, special: false);
        }

        return piece;
    }
}
