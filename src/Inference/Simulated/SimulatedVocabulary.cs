using System.Text;
using Herd.Inference.Runtime;

namespace Herd.Inference.Simulated;

/// <summary>A vocabulary of 256 byte tokens and the two control tokens of the chat template.</summary>
internal sealed class SimulatedVocabulary : IVocabulary
{
    public const int Begin = 256;
    public const int End = 257;

    public const string ChatTemplate =
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' "
        + "+ '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    private static readonly string[] Marks = ["<|im_start|>", "<|im_end|>"];
    private static readonly byte[][] Pieces = [.. Enumerable.Range(0, Begin).Select(b => new[] { (byte)b }), [], []];

    public int Count => Pieces.Length;

    public int? BeginningOfText => null;

    public string BeginningOfTextPiece => "";

    public string EndOfTextPiece => Marks[1];

    public int[] Tokenize(string text, bool parseSpecial)
    {
        var tokens = new List<int>();
        while (text.Length > 0)
        {
            var (at, mark) = parseSpecial ? NextMark(text) : (text.Length, -1);
            tokens.AddRange(Encoding.UTF8.GetBytes(text[..at]).Select(b => (int)b));
            text = text[at..];
            if (mark >= 0)
            {
                tokens.Add(Begin + mark);
                text = text[Marks[mark].Length..];
            }
        }

        return [.. tokens];
    }

    public ReadOnlySpan<byte> Bytes(int token) => Pieces[token];

    public string Name(int token) => token >= Begin ? Marks[token - Begin] : ((char)token).ToString();

    public bool IsEndOfGeneration(int token) => token == End;

    public bool IsSpecial(int token) => token >= Begin;

    private static (int At, int Mark) NextMark(string text)
    {
        var found = (At: text.Length, Mark: -1);
        foreach (var (i, mark) in Marks.Index())
        {
            if (text.IndexOf(mark, StringComparison.Ordinal) is >= 0 and var at && at < found.At)
            {
                found = (at, i);
            }
        }

        return found;
    }
}
