using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Anthropic;

namespace Herd.Gateway.Tests.Anthropic;

public sealed class AnthropicRequestReaderTests
{
    [Fact]
    public void ToTurn_EverySetting_IsRead()
    {
        var settings = Read(
            """
            "temperature":0.5,"top_p":0.9,"top_k":40,"max_tokens":7,"stop_sequences":["a","b"],
            "tools":[{"name":"f","description":"d","input_schema":{"type":"object"},"strict":true}],
            "tool_choice":{"type":"tool","name":"f"}
            """).Settings;

        Assert.Equal((0.5f, 0.9f, 40, 7), (settings.Temperature, settings.TopP, settings.TopK, settings.MaxTokens));
        Assert.Equal(["a", "b"], settings.Stops);
        Assert.Equal([new Tool("f", "d", """{"type":"object"}""", true)], settings.Tools!);
        Assert.Equal(new ToolChoice(true, "f"), settings.ToolChoice);
    }

    [Fact]
    public void ToTurn_ToolChoiceNone_HasNoTools() => Assert.Null(
        Read(""" "max_tokens":1,"tools":[{"name":"f"}],"tool_choice":{"type":"none"} """).Settings.Tools);

    [Theory]
    [InlineData(""" "temperature":2.1 """, "temperature")]
    [InlineData(""" "top_p":0 """, "top_p")]
    [InlineData(""" "top_k":-1 """, "top_k")]
    [InlineData(""" "max_tokens":0 """, "max_tokens")]
    [InlineData(""" "stop_sequences":[""] """, "stop_sequences")]
    [InlineData(""" "stop_sequences":[null] """, "stop_sequences")]
    [InlineData(""" "tools":[{"name":"a b"}] """, "tools[0]")]
    [InlineData(""" "tools":[null] """, "tools[0]")]
    [InlineData(""" "tools":[{"name":"f","input_schema":7}] """, "tools[0].input_schema")]
    [InlineData(""" "tools":[{"name":"f"},{"type":"web_search","name":"g"}] """, "tools[1]")]
    [InlineData(""" "messages":[{"role":"user","content":[]}] """, "messages")]
    [InlineData(""" "tool_choice":{"type":"any"} """, "tool_choice")]
    [InlineData(""" "tool_choice":{"type":"maybe"} """, "tool_choice")]
    [InlineData(""" "chat_template":"{{ 1 }}" """, "chat_template")]
    [InlineData(""" "tools":[{"name":"f"}],"tool_choice":{"type":"tool"} """, "tool_choice")]
    [InlineData(""" "tools":[{"name":"f"}],"tool_choice":{"type":"tool","name":"g"} """, "tool_choice")]
    public void ToTurn_BadSetting_IsRefusedByItsNameHere(string fields, string parameter)
    {
        var error = Assert.Throws<HerdException>(
            () => Read(fields.Contains("max_tokens", StringComparison.Ordinal)
                ? fields
                : fields + ""","max_tokens":1"""));

        Assert.Equal((HerdError.InvalidArgument, parameter), (error.Error, error.Parameter));
        Assert.Contains($"'{parameter}", error.Message, StringComparison.Ordinal);
    }

    private static TurnRequest Read(string fields) => AnthropicRequestReader.ToTurn(
        JsonSerializer.Deserialize(
            $$"""{"model":"m","messages":[{"role":"user","content":"hi"}],{{fields}}}""",
            AnthropicJson.Default.MessagesRequest)!,
        AnswerMarkup.None);
}
