using System.Text;
using Herd.Inference.Runtime;
using LLama.Native;

namespace Herd.LLamaSharp;

/// <summary>The vocabulary of a model. Its pieces are read once. Valid until the model is disposed.</summary>
internal sealed class LLamaSharpVocabulary : IVocabulary
{
    private readonly SafeLlamaModelHandle _model;
    private readonly byte[][] _pieces;
    private readonly string[] _names;
    private readonly bool[] _special;
    private readonly bool[] _ends;

    public LLamaSharpVocabulary(SafeLlamaModelHandle model)
    {
        _model = model;
        var tokens = Enumerable.Range(0, model.Vocab.Count).Select(id => (LLamaToken)id).ToList();
        _pieces = [.. tokens.Select(token => ReadPiece(token, special: false))];
        _names = [.. tokens.Select(token => Encoding.UTF8.GetString(ReadPiece(token, special: true)))];
        _special = [.. tokens.Select(token =>
            (token.GetAttributes(model) & (LLamaTokenAttr.Control | LLamaTokenAttr.UserDefined)) != 0)];
        _ends = [.. tokens.Select(token => token.IsEndOfGeneration(model))];
    }

    public int Count => _pieces.Length;

    public int? BeginningOfText => _model.Vocab is { ShouldAddBOS: true, BOS: { } token } ? (int)token : null;

    public string BeginningOfTextPiece => _model.Vocab.BOS is { } token ? Name((int)token) : "";

    public string EndOfTextPiece => _model.Vocab.EOS is { } token ? Name((int)token) : "";

    public int[] Tokenize(string text, bool parseSpecial) =>
        [.. _model.Tokenize(text, addBos: false, parseSpecial, Encoding.UTF8).Select(token => (int)token)];

    public ReadOnlySpan<byte> Bytes(int token) => _pieces[token];

    public string Name(int token) => _names[token];

    public bool IsEndOfGeneration(int token) => _ends[token];

    public bool IsSpecial(int token) => _special[token];

    private byte[] ReadPiece(LLamaToken token, bool special)
    {
        var piece = new byte[128];
        var length = _model.TokenToSpan(token, piece, special: special);
        if (length > piece.Length)
        {
            piece = new byte[length];
            length = _model.TokenToSpan(token, piece, special: special);
        }

        return piece[..(int)length];
    }
}
