using Herd.Inference.Chat;

namespace Herd.Inference.Tests.Chat;

public sealed class TemplateLimitsTests
{
    private const string Shows = "{% for m in messages %}{{ m.content }}{% endfor %}";
    private const string Doubles =
        "{% set ns = namespace(s='x ') %}{% for i in range(18) %}{% set ns.s = ns.s + ns.s %}{% endfor %}";

    private static readonly TemplateOptions Small = new() { Bytes = 2 << 20 };

    /// <summary>Each makes much from little in one step, which the interpreter would notice afterwards only.</summary>
    [Theory]
    [InlineData("{{ [1] | tojson(indent=530000000) }}")]
    [InlineData("{{ [[1]] | tojson(indent=12000000) }}")]
    [InlineData("{{ 'a\nb' | indent(530000000) }}")]
    [InlineData("{{ 'a\nb' | indent(width=530000000, first=true) }}")]
    [InlineData("{{ range(5000) | join('SEPARATOR' | indent(100000, first=true)) }}")]
    [InlineData(Doubles + "{{ ns.s | replace(' ', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx') }}")]
    [InlineData(Doubles + "{{ ns.s.split(' ') | length }}")]
    [InlineData(Doubles + "{{ ns.s | list | length }}")]
    [InlineData(Doubles + "{{ ns.s | tojson }}{{ ns.s | upper }}{{ ns.s | title }}{{ ns.s[::-1] }}")]
    [InlineData("{% set ns = namespace(a=[1]) %}{% for i in range(40) %}{% set ns.a = ns.a + ns.a %}{% endfor %}")]
    [InlineData("{{ range(0, 1000000) | list | length }}")]
    public void New_TemplateThatGrowsInOneStep_AllocatesLittleMoreThanItMay(string source)
    {
        Refused("{{ 1 }}"); // What the interpreter itself takes to start is not the template's.
        var before = GC.GetAllocatedBytesForCurrentThread();

        Refused(Shows + source);

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 6 * Small.Bytes);
    }

    [Fact]
    public void Render_4096Messages_StaysWithinTheLimits()
    {
        using var template = new ChatTemplate(Shows, new ByteVocabulary());
        var history = Enumerable.Range(0, 4096)
            .Select(i => new ChatMessage(i % 2 == 0 ? ChatRole.User : ChatRole.Assistant, "hello"))
            .ToList();

        Assert.Equal(5 * 4096, template.Render(history).Length);
    }

    [Fact]
    public void Render_LongText_StaysWithinTheLimits()
    {
        using var template = new ChatTemplate(Shows, new ByteVocabulary());

        Assert.Equal(4_000_000, template.Render([new(ChatRole.User, new string('x', 4_000_000))]).Length);
    }

    /// <summary>More messages may take more statements, but not one of them.</summary>
    [Fact]
    public void Render_TemplateThatIsSquareInItsMessages_IsRefused()
    {
        const string Square =
            Shows + "{% for a in messages %}{% for b in messages %}{{ a.role }}{% endfor %}{% endfor %}";
        using var template = new ChatTemplate(
            Square, new ByteVocabulary(), options: new TemplateOptions { Statements = 50_000 });
        var history = Enumerable.Range(0, 500).Select(_ => new ChatMessage(ChatRole.User, "x")).ToList();

        var error = Assert.Throws<TemplateException>(() => template.Render(history));

        Assert.Contains("400000 statements", error.Message, StringComparison.Ordinal);
        Assert.Equal("StatementsCountOverflowException", error.InnerException!.GetType().Name);
    }

    [Fact]
    public void Render_AfterARefusal_WorksAgain()
    {
        const string Endless =
            Shows + "{% if messages | length > 1 %}{% for i in range(1000000000) %}x{% endfor %}{% endif %}";
        using var template = new ChatTemplate(
            Endless, new ByteVocabulary(), options: new TemplateOptions { Statements = 100_000 });

        Assert.Throws<TemplateException>(() => template.Render([new(ChatRole.User, "a"), new(ChatRole.User, "b")]));

        Assert.Equal(['a'], template.Render([new(ChatRole.User, "a")]));
    }

    [Fact]
    public async Task Render_ManyAtOnce_EachGetsItsOwn()
    {
        using var template = new ChatTemplate(Shows, new ByteVocabulary());

        var lengths = await Task.WhenAll(Enumerable.Range(1, 32).Select(length => Task.Run(
            () => template.Render([new(ChatRole.User, new string('x', length))]).Length)));

        Assert.Equal(Enumerable.Range(1, 32), lengths);
    }

    [Fact]
    public void TokensPerMessage_Template_IsWhatItAdds()
    {
        using var adds = new ChatTemplate(
            "{% for m in messages %}{% if m.role == 'user' %}[{{ m.content }}]{% else %}<<{{ m.content }}>>{% endif %}"
                + "{% endfor %}",
            new ByteVocabulary());
        using var oneOnly = new ChatTemplate(
            "{% if messages | length > 1 %}{{ raise_exception('one only') }}{% endif %}{{ messages[0].content }}",
            new ByteVocabulary());

        Assert.Equal((3, 0), (adds.TokensPerMessage, oneOnly.TokensPerMessage));
    }

    private static void Refused(string source)
    {
        try
        {
            new ChatTemplate(source, new ByteVocabulary(), options: Small).Dispose();
        }
        catch (TemplateException)
        {
            // Some templates finish within the limit; what counts is what they allocated.
        }
    }
}
