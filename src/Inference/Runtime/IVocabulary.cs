namespace Herd.Inference.Runtime;

/// <summary>The tokens of a model. Thread-safe.</summary>
public interface IVocabulary
{
    int Count { get; }

    /// <summary>The beginning-of-text token; null if the model does not add one.</summary>
    int? BeginningOfText { get; }

    /// <summary>The text of the beginning-of-text token, as chat templates use it. Empty if there is none.</summary>
    string BeginningOfTextPiece { get; }

    /// <summary>The text of the end-of-text token. Empty if there is none.</summary>
    string EndOfTextPiece { get; }

    /// <summary>Splits a text into tokens. Adds no beginning-of-text or other special token.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="parseSpecial">True to read the names of control tokens as these tokens.</param>
    int[] Tokenize(string text, bool parseSpecial);

    /// <summary>The UTF-8 bytes of a token; empty for control tokens. A character may span tokens.</summary>
    ReadOnlySpan<byte> Bytes(int token);

    /// <summary>The name of a token in the vocabulary.</summary>
    string Name(int token);

    /// <summary>True if the token ends an answer.</summary>
    bool IsEndOfGeneration(int token);

    /// <summary>True if the token is a control token or a user-defined token.</summary>
    bool IsSpecial(int token);
}
