namespace Herd.Inference.Runtime;

/// <summary>The tokens of a model. Thread-safe.</summary>
public interface IVocabulary
{
    int Count { get; }

    /// <summary>The token that begins a text, or null when the model adds none by itself.</summary>
    int? BeginningOfText { get; }

    /// <summary>The text of the token that begins a text, as templates ask for it; empty when there is none.</summary>
    string BeginningOfTextPiece { get; }

    /// <summary>The text of the token that ends a text; empty when there is none.</summary>
    string EndOfTextPiece { get; }

    /// <summary>Splits a text into tokens, without adding any.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="parseSpecial">Whether the names of control tokens stand for these tokens.</param>
    int[] Tokenize(string text, bool parseSpecial);

    /// <summary>The UTF-8 bytes that a token stands for; empty for control tokens. A character may span tokens.</summary>
    ReadOnlySpan<byte> Bytes(int token);

    /// <summary>The name of a token as the vocabulary spells it.</summary>
    string Name(int token);

    /// <summary>Whether the answer ends here.</summary>
    bool IsEndOfGeneration(int token);

    /// <summary>Whether the token steers the model (control) or was added by its makers (user-defined).</summary>
    bool IsSpecial(int token);
}
