using System.Text;
using Herd.Inference.Chat;

namespace Herd.Inference.Tests.Chat;

public sealed class ChatToolsTests
{
    private const string Plain = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}";
    private const string Tagged =
        "{% if tools %}(<tool_call>{% for t in tools %}{{ t | tojson }}{% endfor %}){% endif %}{% for m in messages "
            + "%}[{{ m.role }}]{{ m.content }}{% endfor %}";
    private const string Bare =
        "{% if tools %}('{\"name\": ' '\"parameters\": '{% for t in tools %}{{ t.function.name }}{% endfor %}){% "
            + "endif %}{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}";

    private static readonly ToolDefinition Weather =
        new(
            "weather",
            "Tells the weather.",
            """{"type":"object","properties":{"city":{"type":"string","description":"Where?"}},"required":["city"]}""");

    [Theory]
    [InlineData(Plain, ToolStyle.Instructed)]
    [InlineData(Tagged, ToolStyle.Tagged)]
    [InlineData(Bare, ToolStyle.Bare)]
    [InlineData("{# <tool_call> #}" + Plain, ToolStyle.Instructed)]
    public void Tools_Template_HasTheStyle(string source, ToolStyle expected)
    {
        using var template = new ChatTemplate(source, new ByteVocabulary());

        Assert.Equal(expected, template.Tools);
    }

    [Fact]
    public void Render_TemplateKnowsTools_UsesTheTemplate()
    {
        using var template = new ChatTemplate(Tagged, new ByteVocabulary());

        var text = Text(template.Render(
            [new(ChatRole.User, "hi"), new(ChatRole.Assistant, "x"), new(ChatRole.Tool, "sunny")], [Weather]));

        Assert.Contains("\"name\": \"weather\"", text, StringComparison.Ordinal);
        Assert.Contains("\"description\": \"Where?\"", text, StringComparison.Ordinal);
        Assert.EndsWith("[user]hi[assistant]x[tool]sunny", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_TemplateKnowsNoTools_DescribesThemInTheSystemMessage()
    {
        using var template = new ChatTemplate(Plain, new ByteVocabulary());

        var text = Text(template.Render(
            [
                new(ChatRole.System, "Be brief."),
                new(ChatRole.User, "hi"),
                new(ChatRole.Assistant, "x"),
                new(ChatRole.Tool, "1"),
                new(ChatRole.Tool, "2"),
            ],
            [Weather]));

        Assert.StartsWith("[system]Be brief.\n\nYou can call functions.", text, StringComparison.Ordinal);
        Assert.Contains("\"description\":\"Where?\"", text, StringComparison.Ordinal);
        Assert.EndsWith(
            "[user]hi[assistant]x[user]<tool_response>\n1\n</tool_response>\n<tool_response>\n2\n</tool_response>",
            text,
            StringComparison.Ordinal);
    }

    /// <summary>Descriptions of functions are trusted no more than text of users.</summary>
    [Theory]
    [InlineData(Plain)]
    [InlineData(Tagged)]
    public void Render_ToolNamesSpecialToken_HasNone(string source)
    {
        using var template = new ChatTemplate(source, new ByteVocabulary());
        var name = ByteVocabulary.ControlName;
        var hostile = new ToolDefinition(
            "f", name, """{"type":"object","properties":{"NAME":{"enum":["NAME"],"description":"aNAMEb"}}}""".Replace(
                "NAME", name, StringComparison.Ordinal));

        var tokens = template.Render(
            [new(ChatRole.User, "hi"), new(ChatRole.Assistant, "x"), new(ChatRole.Tool, name)], [hostile]);

        Assert.DoesNotContain(ByteVocabulary.Control, tokens);
        Assert.Equal(5, Text(tokens).Split(name).Length - 1);
    }

    [Theory]
    [InlineData(Plain, false, false)]
    [InlineData("{# <think> #}" + Plain, true, false)]
    [InlineData(Plain + "[assistant]<think>\n", true, true)]
    public void Thinks_Template_IsDetected(string source, bool thinks, bool begins)
    {
        using var template = new ChatTemplate(source, new ByteVocabulary());

        Assert.Equal((thinks, begins), (template.Thinks, template.BeginsThinking));
    }

    /// <summary>
    /// Templates that remove earlier thoughts search the answer for the end of its thought. An answer given as tokens
    /// has no such text.
    /// </summary>
    [Fact]
    public void Render_AnswerWithThought_OmitsTheThoughtButKeepsItsTokens()
    {
        const string Cuts =
            "{# <think> #}{% for m in messages %}[{{ m.role }}]{{ m.content.split('</think>')[-1] }}{% endfor %}";
        using var template = new ChatTemplate(Cuts, new ByteVocabulary());

        Assert.Equal(
            "[user]a[assistant]b",
            Text(template.Render([new(ChatRole.User, "a"), new(ChatRole.Assistant, "<think>x</think>b")])));
        Assert.Equal(
            "[user]a[assistant]\u0001\u0002",
            Text(template.Render([new(ChatRole.User, "a"), new(ChatRole.Assistant, "<think>x</think>b", [1, 2])])));
    }

    private static string Text(IEnumerable<int> tokens) =>
        Encoding.UTF8.GetString([.. tokens.Select(token => (byte)token)]);
}
