using Herd.Inference.Chat;
using Herd.Inference.Runtime;

namespace Herd.Inference.Tests.Chat;

public sealed class PlainTokenizerTests
{
    /// <summary>One cut after the other would take a stack and a time that grow with their number.</summary>
    [Fact]
    public void Tokenize_ManyNamesOfSpecialTokens_HasNone()
    {
        var text = string.Concat(Enumerable.Repeat(ByteVocabulary.ControlName, 100_000));

        var tokens = new PlainTokenizer(new ByteVocabulary(), int.MaxValue).Tokenize(text);

        Assert.Equal(text.Length, tokens.Count);
        Assert.DoesNotContain(ByteVocabulary.Control, tokens);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(10)]
    public void Tokenize_FarTooLong_IsRefusedBeforeItsEnd(int times)
    {
        var vocabulary = new CountingVocabulary(new ByteVocabulary());
        var text = new string('x', 4_000_000 * times);

        var error = Assert.Throws<TextTooLongException>(() => new PlainTokenizer(vocabulary, 8192).Tokenize(text));

        Assert.Equal(8192, error.MaxTokens);
        Assert.InRange(error.Tokens, 2 * 8192, 4 * 8192);
        Assert.InRange(vocabulary.Characters, 1, 64 << 10);
    }

    /// <summary>A prompt that is a little too long is refused with the exact number, which a caller may need.</summary>
    [Fact]
    public void Tokenize_LittleTooLong_HasAllTokens()
    {
        Assert.Equal(16_000, new PlainTokenizer(new ByteVocabulary(), 8192).Tokenize(new string('x', 16_000)).Count);
    }

    [Fact]
    public void Render_ManyMessagesThatAreTooLongTogether_AreRefusedBeforeTheirEnd()
    {
        var vocabulary = new CountingVocabulary(new ByteVocabulary());
        using var template = new ChatTemplate(
            "{% for m in messages %}{{ m.content }}{% endfor %}", vocabulary, maxTokens: 1000);
        var history = Enumerable.Range(0, 1000)
            .Select(_ => new ChatMessage(ChatRole.User, new string('x', 900)))
            .ToList();
        vocabulary.Characters = 0;

        Assert.Throws<TextTooLongException>(() => template.Render(history));

        Assert.InRange(vocabulary.Characters, 2000, 4000);
    }

    /// <summary>Counts the characters that are tokenised.</summary>
    private sealed class CountingVocabulary(IVocabulary inner) : IVocabulary
    {
        public long Characters { get; set; }

        public int Count => inner.Count;

        public int? BeginningOfText => inner.BeginningOfText;

        public string BeginningOfTextPiece => inner.BeginningOfTextPiece;

        public string EndOfTextPiece => inner.EndOfTextPiece;

        public int[] Tokenize(string text, bool parseSpecial)
        {
            Characters += text.Length;
            return inner.Tokenize(text, parseSpecial);
        }

        public ReadOnlySpan<byte> Bytes(int token) => inner.Bytes(token);

        public string Name(int token) => inner.Name(token);

        public bool IsEndOfGeneration(int token) => inner.IsEndOfGeneration(token);

        public bool IsSpecial(int token) => inner.IsSpecial(token);
    }
}
