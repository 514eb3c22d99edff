using System.Text;
using Herd.Inference.Chat;

namespace Herd.Inference.Tests.Chat;

public sealed class ChatTemplateTests
{
    private const string Plain = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}";

    [Fact]
    public void Render_Messages_FollowsTemplate()
    {
        Assert.Equal(
            "[system]be brief[user]hello", Text(Plain, new(ChatRole.System, "be brief"), new(ChatRole.User, "hello")));
    }

    [Fact]
    public void Render_TemplateThatTrims_TrimsText()
    {
        const string Trims = "{% for m in messages %}[{{ m.role }}]{{ m.content | trim }}{% endfor %}";

        Assert.Equal("[user]hello", Text(Trims, new ChatMessage(ChatRole.User, "  hello\n")));
        Assert.Equal("[user]  hello\n", Text(Plain, new ChatMessage(ChatRole.User, "  hello\n")));
    }

    [Fact]
    public void Render_AnswerWithTokens_UsesThem()
    {
        using var template = new ChatTemplate(Plain, new ByteVocabulary());

        var tokens = template.Render(
            [new(ChatRole.User, "a"), new(ChatRole.Assistant, "whatever", [1, 2, 3]), new(ChatRole.User, "b")]);

        Assert.Equal([.. Bytes("[user]a[assistant]"), 1, 2, 3, .. Bytes("[user]b")], tokens);
    }

    [Fact]
    public void Render_TextThatNamesSpecialToken_HasNone()
    {
        using var template = new ChatTemplate(Plain, new ByteVocabulary());
        var text = $"a{ByteVocabulary.ControlName}{ByteVocabulary.ControlName}b";

        var tokens = template.Render([new ChatMessage(ChatRole.User, text)]);

        Assert.DoesNotContain(ByteVocabulary.Control, tokens);
        Assert.Equal("[user]" + text, Encoding.UTF8.GetString([.. tokens.Select(token => (byte)token)]));
    }

    [Fact]
    public void Render_TemplateThatNamesSpecialToken_HasIt()
    {
        using var template = new ChatTemplate(
            ByteVocabulary.ControlName + "{{ messages[0].content }}", new ByteVocabulary());

        Assert.Equal([ByteVocabulary.Control, 'x'], template.Render([new ChatMessage(ChatRole.User, "x")]));
    }

    /// <summary>
    /// A template's own text and a message's may form the name of a control token together. It stays text.
    /// </summary>
    [Fact]
    public void Render_SpecialTokenAcrossBorder_HasNone()
    {
        using var template = new ChatTemplate("{{ messages[0].content }}>", new ByteVocabulary());

        Assert.DoesNotContain(
            ByteVocabulary.Control,
            template.Render([new ChatMessage(ChatRole.User, ByteVocabulary.ControlName[..^1])]));
    }

    [Fact]
    public void Render_TemplateThatCutsMessages_IsRefused()
    {
        using var template = new ChatTemplate("{{ messages[0].content.split('#')[0] }}", new ByteVocabulary());

        Assert.Throws<TemplateException>(() => template.Render([new ChatMessage(ChatRole.User, "a#b")]));
    }

    [Fact]
    public void Render_TemplateRaises_HasTheReason()
    {
        const string Raises = "{% if messages | length > 1 %}{{ raise_exception('one message only') }}{% endif %}{{ "
            + "messages[0].content }}";
        using var template = new ChatTemplate(Raises, new ByteVocabulary());

        var error =
            Assert.Throws<TemplateException>(() => template.Render([new(ChatRole.User, "a"), new(ChatRole.User, "b")]));

        Assert.Contains("one message only", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{% for i in range(1000000000) %}x{% endfor %}")]
    [InlineData("{% for a in range(9000) %}{% for b in range(9000) %}{% for c in range(9000) %}{{ a }}{% endfor %}{% "
        + "endfor %}{% endfor %}")]
    [InlineData("{% set ns = namespace(s='xxxxxxxxxxxxxxxx') %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{% "
        + "endfor %}{{ ns.s }}")]
    [InlineData("{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}")]
    public void New_TemplateThatNeedsTooMuch_IsRefused(string source)
    {
        Assert.Throws<TemplateException>(() => new ChatTemplate(source, new ByteVocabulary()).Dispose());
    }

    [Fact]
    public void New_DeeplyNestedTemplate_IsRefused()
    {
        var nested = "{{ " + new string('(', 20_000) + "1" + new string(')', 20_000) + " }}";

        Assert.Throws<TemplateException>(() => new ChatTemplate(nested, new ByteVocabulary()).Dispose());
    }

    [Theory]
    [InlineData("{% for m in messages %}")]
    [InlineData("{{ messages[0].content ")]
    [InlineData("it shows nothing")]
    public void New_InvalidTemplate_IsRefused(string source)
    {
        Assert.Throws<TemplateException>(() => new ChatTemplate(source, new ByteVocabulary()).Dispose());
    }

    [Fact]
    public void New_TemplateTooLong_IsRefused()
    {
        var error = Assert.Throws<TemplateException>(
            () => new ChatTemplate(new string('x', 70_000), new ByteVocabulary()).Dispose());

        Assert.Contains("70000", error.Message, StringComparison.Ordinal);
    }

    private static string Text(string source, params ChatMessage[] messages)
    {
        using var template = new ChatTemplate(source, new ByteVocabulary());
        return Encoding.UTF8.GetString([.. template.Render(messages).Select(token => (byte)token)]);
    }

    private static IEnumerable<int> Bytes(string text) => Encoding.UTF8.GetBytes(text).Select(b => (int)b);
}
