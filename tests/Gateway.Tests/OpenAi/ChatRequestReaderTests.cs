using System.Text;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.OpenAi;
using Microsoft.AspNetCore.Http;

namespace Herd.Gateway.Tests.OpenAi;

public sealed class ChatRequestReaderTests
{
    private const string Hello = """{"role":"user","content":"hello"}""";

    [Fact]
    public async Task ToTurn_EveryField_IsRead()
    {
        var turn = await Read("""
            {"model":"m","stream":true,"temperature":0.5,"top_p":0.9,"top_k":40,"min_p":0.1,"seed":-1,"max_tokens":5,
             "max_completion_tokens":7,"stop":["a","b"],"n":1,"logprobs":false,"frequency_penalty":0,"unknown":{},
             "response_format":{"type":"text"},"tools":[],
             "messages":[{"role":"developer","content":"brief"},
                         {"role":"user","content":[{"type":"text","text":"he"},{"type":"text","text":"llo"}]},
                         {"role":"assistant","content":"hi"},{"role":"user","content":"more"}]}
            """);

        Assert.Equal(
            [
                new(Role.System, "brief"),
                new(Role.User, "hello"),
                new(Role.Assistant, "hi"),
                new Message(Role.User, "more"),
            ], turn.Input);
        Assert.Equal(
            (0.5f, 0.9f, 40, 0.1f),
            (turn.Settings.Temperature, turn.Settings.TopP, turn.Settings.TopK, turn.Settings.MinP));
        Assert.Equal((ulong.MaxValue, 7), (turn.Settings.Seed, turn.Settings.MaxTokens));
        Assert.Equal(["a", "b"], turn.Settings.Stops);
        Assert.True(turn.IsWholeHistory);
    }

    [Fact]
    public async Task ToTurn_EverySamplingField_IsRead()
    {
        var settings = (await Read("""
            {"model":"m","messages":[HELLO],"frequency_penalty":0.5,"presence_penalty":-0.5,"repetition_penalty":1.1,
             "typical_p":0.9,"logit_bias":{"7":-100,"8":2.5},"ignore_eos":true,
             "response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object"}}}}
            """.Replace("HELLO", Hello, StringComparison.Ordinal))).Settings;

        Assert.Equal(new PenaltySettings(1.1f, 0.5f, -0.5f), settings.Penalties);
        Assert.Equal((0.9f, true), (settings.TypicalP, settings.IgnoreEnd));
        Assert.Equal([(7, -100), (8, 2.5f)], settings.Bias!.Select(bias => (bias.Key, bias.Value)));
        Assert.Equal("""{"type":"object"}""", settings.Form!.Schema);
    }

    [Fact]
    public async Task ToTurn_ToolsAndCalls_AreRead()
    {
        var turn = await Read("""
            {"model":"m","tools":[{"type":"function","function":{"name":"f","description":"d",
              "parameters":{ "type":"object" },"strict":true}}],
             "tool_choice":{"type":"function","function":{"name":"f"}},
             "messages":[HELLO,{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function",
              "function":{"name":"f","arguments":"{\"a\":1}"}}]},
                         {"role":"tool","tool_call_id":"c","content":"42"}]}
            """.Replace("HELLO", Hello, StringComparison.Ordinal));

        Assert.Equal([new Tool("f", "d", """{"type":"object"}""", true)], turn.Settings.Tools!);
        Assert.Equal(new ToolChoice(true, "f"), turn.Settings.ToolChoice);
        Assert.Equal(
            new Message(Role.Assistant, "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\":1}}\n</tool_call>"),
            turn.Input[1]);
        Assert.Equal(new Message(Role.Tool, "42"), turn.Input[2]);
    }

    [Fact]
    public async Task ToTurn_ToolChoiceNone_HasNoTools() => Assert.Null(
        (await Read("""
            {
              "model":"m","messages":[HELLO],
              "tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"none"
            }
            """.Replace("HELLO", Hello, StringComparison.Ordinal))).Settings.Tools);

    [Theory]
    [InlineData("""{"model":"m","messages":[HELLO],"tools":[{"type":"web_search"}]}""", "tools[0]")]
    [InlineData(
        """{"model":"m","messages":[HELLO],"tools":[{"type":"function","function":{"name":"a b"}}]}""", "tools[0]")]
    [InlineData("""{"model":"m","messages":[HELLO],"tools":[{"type":"function","function":{"name":"a"}},"""
        + """{"type":"function","function":{"name":"a"}}]}""", "tools[1]")]
    [InlineData("""{"model":"m","messages":[HELLO],"tools":[{"type":"function","function":"""
        + """{"name":"f"}}],"tool_choice":{"type":"function"}}""", "tool_choice")]
    [InlineData("""{"model":"m","messages":[HELLO],"max_completion_tokens":0}""", "max_completion_tokens")]
    [InlineData("""{"model":"m","messages":[HELLO],"typical_p":0}""", "typical_p")]
    [InlineData("""{"model":"m","messages":[HELLO],"presence_penalty":-2.5}""", "presence_penalty")]
    [InlineData(
        """{"model":"m","messages":[HELLO],"tools":[{"type":"function","function":{"name":"a","parameters":7}}]}""",
        "tools[0].function.parameters")]
    [InlineData("""{"model":"m","messages":[HELLO],"tool_choice":"required"}""", "tool_choice")]
    [InlineData(
        """{"model":"m","messages":[HELLO],"tool_choice":{"type":"function","function":{"name":"g"}}}""",
        "tool_choice")]
    [InlineData(
        """{"model":"m","messages":[HELLO,{"role":"tool","tool_call_id":"x","content":"1"}]}""",
        "messages[1].tool_call_id")]
    [InlineData("", null)]
    [InlineData("null", null)]
    [InlineData("[]", null)]
    [InlineData("{", null)]
    [InlineData("""{"model":"m","messages":[HELLO],"temperature":"hot"}""", "temperature")]
    [InlineData("""{"model":"m","messages":[HELLO],"temperature":1e999}""", "temperature")]
    [InlineData("""{"model":"m","messages":[HELLO],"temperature":NaN}""", "temperature")]
    [InlineData("""{"messages":[HELLO]}""", "model")]
    [InlineData("""{"model":"m"}""", "messages")]
    [InlineData("""{"model":"m","messages":[]}""", "messages")]
    [InlineData("""{"model":"m","messages":[null]}""", "messages[0].role")]
    [InlineData("""{"model":"m","messages":[{"content":"x"}]}""", "messages[0].role")]
    [InlineData("""{"model":"m","messages":[{"role":"wizard","content":"x"}]}""", "messages[0].role")]
    [InlineData("""{"model":"m","messages":[{"role":"user"}]}""", "messages[0].content")]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":7}]}""", "messages[0].content")]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":[{"type":7}]}]}""", "messages[0].content[0].type")]
    [InlineData(
        """{"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]}""", "messages[0].content[0]")]
    [InlineData("""{"model":"m","messages":[HELLO,{"role":"assistant","content":"x"}]}""", "messages[1].role")]
    [InlineData("""{"model":"m","messages":[HELLO],"temperature":-0.1}""", "temperature")]
    [InlineData("""{"model":"m","messages":[HELLO],"temperature":2.1}""", "temperature")]
    [InlineData("""{"model":"m","messages":[HELLO],"top_p":0}""", "top_p")]
    [InlineData("""{"model":"m","messages":[HELLO],"top_k":-1}""", "top_k")]
    [InlineData("""{"model":"m","messages":[HELLO],"min_p":1.1}""", "min_p")]
    [InlineData("""{"model":"m","messages":[HELLO],"max_tokens":0}""", "max_tokens")]
    [InlineData("""{"model":"m","messages":[HELLO],"max_tokens":99999999999}""", "max_tokens")]
    [InlineData("""{"model":"m","messages":[HELLO],"stop":7}""", "stop")]
    [InlineData("""{"model":"m","messages":[HELLO],"stop":[""]}""", "stop")]
    [InlineData("""{"model":"m","messages":[HELLO],"n":1000000000}""", "n")]
    [InlineData("""{"model":"m","messages":[HELLO],"tools":[{"type":"function"}]}""", "tools[0]")]
    [InlineData("""{"model":"m","messages":[HELLO],"n":0}""", "n")]
    [InlineData("""{"model":"m","messages":[HELLO],"top_logprobs":2}""", "top_logprobs")]
    [InlineData("""{"model":"m","messages":[HELLO],"logprobs":true,"top_logprobs":21}""", "top_logprobs")]
    [InlineData("""{"model":"m","messages":[HELLO],"frequency_penalty":2.5}""", "frequency_penalty")]
    [InlineData("""{"model":"m","messages":[HELLO],"response_format":{"type":"xml"}}""", "response_format")]
    [InlineData("""{"model":"m","messages":[HELLO],"response_format":{}}""", "response_format")]
    [InlineData("""{"model":"m","messages":[HELLO],"response_format":{"type":"json_schema"}}""", "response_format")]
    [InlineData("""{"model":"m","messages":[HELLO],"logit_bias":{"x":1}}""", "logit_bias")]
    [InlineData("""{"model":"m","messages":[HELLO],"logit_bias":{"1":101}}""", "logit_bias.1")]
    [InlineData("""{"model":"m","messages":[HELLO],"repetition_penalty":0}""", "repetition_penalty")]
    [InlineData("""{"model":"m","messages":[HELLO],"chat_template":"{{ evil }}"}""", "chat_template")]
    public async Task ToTurn_BadField_IsRefusedByName(string body, string? parameter)
    {
        var error =
            await Assert.ThrowsAsync<HerdException>(() => Read(body.Replace("HELLO", Hello, StringComparison.Ordinal)));

        Assert.Equal(HerdError.InvalidArgument, error.Error);
        Assert.Equal(parameter, error.Parameter);
    }

    [Fact]
    public async Task Read_DeeplyNestedBody_IsRefused()
    {
        var error = await Assert.ThrowsAsync<HerdException>(
            () => Read("""{"model":"m","x":""" + new string('[', 5000)));

        Assert.Contains("nested too deeply", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_BadContent_IsNotRepeatedInTheError()
    {
        var error = await Assert.ThrowsAsync<HerdException>(
            () => Read("""{"model":"m","messages":[{"role":"canary","content":"secret"}]}"""));

        Assert.DoesNotContain("canary", error.Message, StringComparison.Ordinal);
    }

    internal static async Task<TurnRequest> Read(string body)
    {
        var context = new DefaultHttpContext();
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body));
        return ChatRequestReader.ToTurn(await ChatRequestReader.Read(context.Request), AnswerMarkup.None);
    }
}
