using System.Text;
using Herd.Inference.Chat;

namespace Herd.Runtimes.Tests;

/// <summary>The contract of the vocabulary of every runtime.</summary>
public sealed class VocabularyTests(Runtimes runtimes) : IClassFixture<Runtimes>
{
    [Theory]
    [MemberData(nameof(Runtimes.Names), MemberType = typeof(Runtimes))]
    public void Tokenize_AnyText_RoundTripsItsBytes(string name)
    {
        var vocabulary = runtimes[name].Vocabulary;
        foreach (var text in new[] { "", "the inn", " \t\n", "Zürich, 東京 🐑", "\u0000\u0001" })
        {
            var tokens = vocabulary.Tokenize(text, parseSpecial: false);

            Assert.Equal(
                text, Encoding.UTF8.GetString([.. tokens.SelectMany(token => vocabulary.Bytes(token).ToArray())]));
            Assert.All(tokens, token => Assert.InRange(token, 0, vocabulary.Count - 1));
        }
    }

    [Theory]
    [MemberData(nameof(Runtimes.Names), MemberType = typeof(Runtimes))]
    public void Tokenize_ControlToken_IsOneOnlyWhenParsed(string name)
    {
        var vocabulary = runtimes[name].Vocabulary;

        var parsed = Assert.Single(vocabulary.Tokenize("<|im_end|>", parseSpecial: true));
        Assert.True(vocabulary.IsSpecial(parsed));
        Assert.True(vocabulary.IsEndOfGeneration(parsed));
        Assert.Equal("<|im_end|>", vocabulary.Name(parsed));
        Assert.DoesNotContain(vocabulary.Tokenize("<|im_end|>", parseSpecial: false), vocabulary.IsSpecial);
    }

    [Theory]
    [MemberData(nameof(Runtimes.Names), MemberType = typeof(Runtimes))]
    public void ChatTemplate_OfTheModel_MarksTurns(string name)
    {
        var model = runtimes[name];
        using var template = new ChatTemplate(model.Info.ChatTemplate!, model.Vocabulary);

        var tokens = template.Render([new ChatMessage(ChatRole.User, "hi")]);

        Assert.Equal(
            ["<|im_start|>", "<|im_end|>", "<|im_start|>"],
            tokens.Where(model.Vocabulary.IsSpecial).Select(model.Vocabulary.Name));
    }
}
