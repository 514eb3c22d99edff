using System.Text;
using System.Text.Json;
using FsCheck.Xunit;
using Herd.Inference.Chat;
using Herd.Inference.Grammars;

namespace Herd.Inference.Tests.Grammars;

public sealed class JsonSchemaTests
{
    private const string Person =
        """{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"},"tags":"""
            + """{"type":"array","items":{"enum":["a","b"]},"maxItems":2}},"required":"""
            + """["name"],"additionalProperties":false}""";

    private readonly GrammarCache _grammars = new(new ByteVocabulary());

    [Theory]
    [InlineData("""{"name":"Ada"}""", true)]
    [InlineData("""{ "name": "Ada", "age": -36 }""", true)]
    [InlineData("""{"name":"é\u00e9\n","tags":["a","b"]}""", true)]
    [InlineData("""{"name":"Ada","age":036}""", false)]
    [InlineData("""{"age":36}""", false)]
    [InlineData("""{"name":"Ada","other":1}""", false)]
    [InlineData("""{"name":"Ada","tags":["a","b","a"]}""", false)]
    [InlineData("""{"name":7}""", false)]
    [InlineData("""{"name":"Ada""", false)]
    public void ForSchema_Text_IsAcceptedIfValid(string text, bool valid) =>
        Assert.Equal(valid, Takes(_grammars.ForSchema(Person), text));

    [Theory]
    [InlineData("""{"a":[1,2.5e-3,{"b":null}],"c":true}""", true)]
    [InlineData("{}", true)]
    [InlineData("[]", false)]
    [InlineData("""{"a":}""", false)]
    public void AnyObject_Text_IsAcceptedIfAnObject(string text, bool valid) =>
        Assert.Equal(valid, Takes(_grammars.AnyObject(), text));

    [Theory]
    [InlineData("<tool_call>\n{\"name\": \"city\", \"arguments\": {\"name\":\"Rome\"}}\n</tool_call>", true)]
    [InlineData("<tool_call>\n{\"name\": \"any\", \"arguments\": {\"x\":1}}\n</tool_call>", true)]
    [InlineData("<tool_call>\n{\"name\": \"city\", \"arguments\": {}}\n</tool_call>", false)]
    [InlineData("<tool_call>\n{\"name\": \"other\", \"arguments\": {}}\n</tool_call>", false)]
    [InlineData("Rome", false)]
    public void ForCall_Text_IsAcceptedIfACall(string text, bool valid) => Assert.Equal(
        valid, Takes(_grammars.ForCall([
            new ToolDefinition("city", null, Person),
            new ToolDefinition("any", null, """{"type":"object","minProperties":1}"""),
        ], ToolStyle.Tagged), text));

    [Fact]
    public void ForCall_Bare_AcceptsParameters() => Assert.True(Takes(
        _grammars.ForCall([new ToolDefinition("now")], ToolStyle.Bare), """{"name": "now", "parameters": {}}"""));

    [Fact]
    public void ForCall_StrictSchemaThatCannotBeEnforced_IsRefused()
    {
        var tool = new ToolDefinition("any", null, """{"type":"object","minProperties":1}""", IsStrict: true);

        Assert.Contains(
            "'any'",
            Assert.Throws<GrammarException>(() => _grammars.ForCall([tool], ToolStyle.Tagged)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void ForSchema_RefersToItself_AcceptsAnyDepth()
    {
        var tree = _grammars.ForSchema(
            """{"$ref":"#/$defs/node","$defs":{"node":{"type":"object","properties":{"next":{"anyOf":["""
                + """{"$ref":"#/$defs/node"},{"type":"null"}]}},"required":["next"]}}}""");

        Assert.True(Takes(tree, """{"next":{"next":{"next":null}}}"""));
        Assert.False(Takes(tree, """{"next":{"next":{}}}"""));
    }

    [Theory]
    [InlineData("""{"const":"na\u00efve"}""", "\"naïve\"", true)]
    [InlineData("""{"const":"\ud83d\ude00"}""", "\"😀\"", true)]
    [InlineData("""{"enum":["\u0041\/\u000a"]}""", "\"A/\\n\"", true)]
    [InlineData("""{"const":{"b":[1,null],"a":"x"}}""", """{ "b":[1, null],"a": "x"}""", true)]
    [InlineData("""{"const":{"b":[1,null]}}""", """{"b":[1]}""", false)]
    [InlineData("""{"type":"integer","enum":[1,2.5,"a"]}""", "1", true)]
    [InlineData("""{"type":"integer","enum":[1,2.5,"a"]}""", "2.5", false)]
    [InlineData("""{"type":"string","anyOf":[{"type":"integer"},{"type":["null","string"]}]}""", "null", false)]
    [InlineData("""{"type":"string","anyOf":[{"type":"integer"},{"type":["null","string"]}]}""", "\"\"", true)]
    [InlineData("""{"type":["integer","null"]}""", "7", true)]
    [InlineData("""{"enum":["日本"],"type":["string"]}""", "\"日本\"", true)]
    [InlineData("""{"anyOf":[{"enum":["日"]},{"type":"string","maxLength":0}]}""", "\"\"", true)]
    [InlineData("""{"type":"string"}""", "\"\\ud83d\\ude00\"", true)]
    [InlineData("""{"type":"string"}""", "\"\\ud83d\"", false)]
    [InlineData("""{"type":"string"}""", "\"\\ude00\"", false)]
    [InlineData("""{"type":"string","maxLength":1}""", "\"\\ud83d\\ude00\"", true)]
    [InlineData("""{"type":"string","maxLength":1}""", "\"😀a\"", false)]
    [InlineData("""{"type":"array","minItems":2,"maxItems":3}""", "[1 ]", false)]
    [InlineData("""{"type":"array","minItems":2,"maxItems":3}""", "[1,2 ]", true)]
    [InlineData("""{"type":"array","minItems":2,"maxItems":3}""", "[1,2,3,4]", false)]
    [InlineData("""{"type":"array","maxItems":0}""", "[1]", false)]
    [InlineData("""{"type":"array","maxItems":0}""", "[]", true)]
    [InlineData("""{"properties":{"a":{"type":"null"}},"additionalProperties":true}""", """{"a":1}""", false)]
    [InlineData("""{"properties":{"a":{"type":"null"}},"additionalProperties":true}""", """{"a":null,"a":1}""", false)]
    [InlineData("""{"properties":{"a":{"type":"null"}},"additionalProperties":true}""", """{"ab":1,"é":2}""", true)]
    [InlineData("""{"properties":{"a":{"type":"null"}},"additionalProperties":true}""", "{\"\\u0061\":1}", false)]
    [InlineData("""{"properties":{"é":{"type":"null"}},"additionalProperties":true}""", """{"è":1,"日":2}""", true)]
    [InlineData("""{"properties":{"é":{"type":"null"}},"additionalProperties":true}""", """{"é":1}""", false)]
    public void ForSchema_Keyword_MeansWhatJsonSchemaSays(string schema, string text, bool valid) =>
        Assert.Equal(valid, Takes(_grammars.ForSchema(schema), text));

    [Fact]
    public void ForSchema_LengthsOfAMillion_AreCounted()
    {
        var grammar = _grammars.ForSchema("""{"type":"string","minLength":999999,"maxLength":1000000}""");

        Assert.False(Takes(grammar, $"\"{new string('a', 999_998)}\""));
        Assert.True(Takes(grammar, $"\"{new string('a', 1_000_000)}\""));
        Assert.False(Takes(grammar, $"\"{new string('a', 1_000_001)}\""));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[1]")]
    [InlineData("""{"type":"unicorn"}""")]
    [InlineData("""{"type":"string","pattern":"a+"}""")]
    [InlineData("""{"type":"integer","minimum":3}""")]
    [InlineData("""{"$ref":"#"}""")]
    [InlineData("""{"$ref":"#/$defs/x"}""")]
    [InlineData("""{"$ref":"http://example.org/x"}""")]
    [InlineData("""{"enum":[]}""")]
    [InlineData("""{"type":"array","minItems":3,"maxItems":2}""")]
    [InlineData("""{"type":"array","maxItems":9999999999}""")]
    [InlineData("""{"type":"string","maxLength":1.5}""")]
    [InlineData("""{"type":["string","null"],"pattern":"a+"}""")]
    [InlineData("""{"type":"object","properties":{"a":true},"required":["b"]}""")]
    public void ForSchema_CannotBeEnforced_IsRefused(string schema) =>
        Assert.Throws<GrammarException>(() => _grammars.ForSchema(schema));

    [Theory]
    [InlineData("3", "must be an object, true or false")]
    [InlineData("""{"type":"text"}""", "must be one of object, array, string, number, integer, boolean and null")]
    public void ForSchema_WrongType_SaysWhatIsExpected(string schema, string expected) => Assert.Contains(
        expected,
        Assert.Throws<GrammarException>(() => _grammars.ForSchema(schema)).Message,
        StringComparison.Ordinal);

    /// <summary>
    /// Random tokens that the grammar allows are valid JSON of the schema once the grammar is complete.
    /// </summary>
    [Property(MaxTest = 200)]
    public bool Mask_RandomTokens_AreValidJson(int seed)
    {
        var random = new Random(seed);
        var state = _grammars.ForSchema(Person).Begin();
        var text = new List<byte>();
        while (!state.IsComplete && text.Count < 400)
        {
            var logits = new float[new ByteVocabulary().Count];
            Assert.True(state.Mask(logits));
            var allowed = Enumerable.Range(0, logits.Length).Where(token => logits[token] == 0).ToList();

            // Random tokens seldom end a string, so a third of the possible ends are taken.
            var token = allowed.Contains('"') && random.Next(3) == 0 ? '"' : allowed[random.Next(allowed.Count)];
            Assert.True(state.Allows(token));
            state.Accept(token);
            text.Add((byte)token);
        }

        if (!state.IsComplete)
        {
            return true;
        }

        using var document = JsonDocument.Parse(Encoding.UTF8.GetString([.. text]));
        return document.RootElement.GetProperty("name").ValueKind == JsonValueKind.String;
    }

    private static bool Takes(Grammar grammar, string text)
    {
        var state = grammar.Begin();
        foreach (var value in Encoding.UTF8.GetBytes(text))
        {
            if (!state.Allows(value))
            {
                return false;
            }

            state.Accept(value);
        }

        return state.IsComplete;
    }
}
