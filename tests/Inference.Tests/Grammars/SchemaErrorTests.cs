using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Herd.Inference.Chat;
using Herd.Inference.Grammars;

namespace Herd.Inference.Tests.Grammars;

/// <summary>A schema that is none is refused with its place and what was found there.</summary>
public sealed class SchemaErrorTests
{
    private readonly GrammarCache _grammars = new(new ByteVocabulary());

    [Theory]
    [InlineData("""{"type":"object","properties":[]}""", "$.properties must be an object; found an array")]
    [InlineData("""{"type":"object","properties":null}""", "$.properties must be an object; found null")]
    [InlineData("""{"type":"object","properties":5}""", "$.properties must be an object; found a number")]
    [InlineData("""{"properties":{"a":{"properties":[]}}}""", "$.properties.a.properties must be an object")]
    [InlineData("""{"properties":{"a":7}}""", "$.properties.a must be an object, true or false; found a number")]
    [InlineData("""{"properties":{},"required":[5]}""", "$.required[0] must be a string; found a number")]
    [InlineData("""{"properties":{},"required":{}}""", "$.required must be an array; found an object")]
    [InlineData("""{"properties":{},"required":true}""", "$.required must be an array; found true")]
    [InlineData("""{"additionalProperties":[]}""", "$.additionalProperties must be an object, true or false")]
    [InlineData("""{"type":"array","items":[]}""", "$.items must be an object, true or false; found an array")]
    [InlineData("""{"type":"array","minItems":"3"}""", "$.minItems must be a whole number from 0 to 1000000000")]
    [InlineData("""{"type":"array","minItems":-1}""", "$.minItems must be a whole number")]
    [InlineData("""{"type":"string","minLength":null}""", "$.minLength must be a whole number")]
    [InlineData("""{"type":null}""", "$.type must be one of object")]
    [InlineData("""{"type":[]}""", "$.type is empty")]
    [InlineData("""{"type":["string",3]}""", "$.type[1] must be one of object")]
    [InlineData("""{"anyOf":{}}""", "$.anyOf must be an array; found an object")]
    [InlineData("""{"anyOf":[true,[]]}""", "$.anyOf[1] must be an object, true or false; found an array")]
    [InlineData("""{"enum":5}""", "$.enum must be an array; found a number")]
    [InlineData("""{"$ref":5}""", "$.$ref must be a string; found a number")]
    [InlineData("""{"$ref":"#/$defs/a/b"}""", "$.$ref points to '#/$defs/a/b', which is not there")]
    [InlineData("""{"$ref":"#/$defs/a","$defs":{"a":5}}""", "#/$defs/a must be an object, true or false")]
    [InlineData("""{"const":"\ud800"}""", "$.const has a text with half of a surrogate pair")]
    [InlineData("""{"properties":{"\udc00":true}}""", "$.properties has a text with half of a surrogate pair")]
    [InlineData("""{"type":"string","pattern":"a"}""", "the keyword $.pattern is not supported here")]
    [InlineData("""{"type":["string","null"],"pattern":"a"}""", "the keyword $.pattern is not supported here")]
    [InlineData("""{"allOf":[{}]}""", "the keyword $.allOf is not supported here")]
    [InlineData("null", "$ must be an object, true or false; found null")]
    [InlineData("\"a\"", "$ must be an object, true or false; found a string")]
    [InlineData("false", "no text is valid")]
    [InlineData("""{"properties":{"a":false},"required":["a"]}""", "no text is valid")]
    [InlineData("""{"properties":{"a":{"$ref":"#"}},"required":["a"]}""", "or only texts without an end")]
    [InlineData("""{"anyOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"$ref":"#/$defs/a"}}}""", "refers to itself")]
    public void ForSchema_NoSchema_NamesThePlace(string schema, string expected) => Assert.Contains(
        expected,
        Assert.Throws<GrammarException>(() => _grammars.ForSchema(schema)).Message,
        StringComparison.Ordinal);

    [Fact]
    public void ForSchema_LoneSurrogateNotEscaped_IsRefused() => Assert.Throws<GrammarException>(
        () => _grammars.ForSchema("{\"const\":\"\ud800\"}"));

    [Fact]
    public void ForSchema_TooDeep_IsRefused()
    {
        var schema = $"{string.Concat(Enumerable.Repeat("""{"items":""", 5000))}true{new string('}', 5000)}";

        Assert.Throws<GrammarException>(() => _grammars.ForSchema(schema));
    }

    [Fact]
    public void ForSchema_ReferencesWithoutAnEnd_AreRefused() => Assert.Contains(
        "more than 256 references",
        Assert.Throws<GrammarException>(() => _grammars.ForSchema(
            $"{{\"$ref\":\"#/$defs/d0\",\"$defs\":{{{string.Join(
                ',', Enumerable.Range(0, 1500).Select(i => $"\"d{i}\":{{\"$ref\":\"#/$defs/d{i + 1}\"}}"))},"
                + "\"d1500\":true}}")).Message,
        StringComparison.Ordinal);

    [Fact]
    public void ForSchema_ReferencesToTheSameTwice_AreFollowedOnce()
    {
        // Each definition has the next one twice: 2^200 paths.
        var chain = string.Join(',', Enumerable.Range(0, 200).Select(i =>
            $"\"d{i}\":{{\"anyOf\":[{{\"$ref\":\"#/$defs/d{i + 1}\"}},{{\"$ref\":\"#/$defs/d{i + 1}\"}}]}}"));

        Assert.NotNull(_grammars.ForSchema($"{{\"$ref\":\"#/$defs/d0\",\"$defs\":{{{chain},\"d200\":true}}}}"));
    }

    [Fact]
    public void ForCall_SchemaWithoutTexts_AllowsAnyObject() => Assert.NotNull(_grammars.ForCall(
        [new ToolDefinition("a", null, """{"properties":[]}"""), new ToolDefinition("b", null, "false")],
        ToolStyle.Tagged));

    /// <summary>Any JSON with the words of schemas in it compiles or is refused as a schema.</summary>
    [Property(MaxTest = 500)]
    public Property ForSchema_AnyJson_IsReadOrRefused() => Prop.ForAll(Json(4).ToArbitrary(), json =>
    {
        try
        {
            _grammars.ForSchema(json);
        }
        catch (GrammarException e)
        {
            Assert.NotEmpty(e.Message);
        }
    });

    private static Gen<string> Json(int depth)
    {
        var scalar = Gen.Elements(
            "null", "true", "false", "5", "-1", "1e400", "0.5", "\"\"", "\"#\"", "\"#/$defs/a\"", "\"object\"",
            "\"array\"", "\"string\"", "\"integer\"", "\"\\ud800\"", "\"a\"", "[]", "{}");
        if (depth == 0)
        {
            return scalar;
        }

        var words = Gen.Elements(
            "type", "properties", "required", "additionalProperties", "items", "minItems", "maxItems", "minLength",
            "maxLength", "enum", "const", "anyOf", "oneOf", "$ref", "$defs", "a", "title");
        var pair = from word in words from value in Json(depth - 1) select $"\"{word}\":{value}";
        return Gen.Frequency(
            (1, scalar),
            (1, Json(depth - 1).ListOf().Select(items => $"[{string.Join(',', items.Take(4))}]")),
            (4, pair.ListOf().Select(pairs => $"{{{string.Join(',', pairs.Take(4))}}}")));
    }
}
