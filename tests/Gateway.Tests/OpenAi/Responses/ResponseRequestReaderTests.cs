using System.Text;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.OpenAi.Responses;
using Microsoft.AspNetCore.Http;

namespace Herd.Gateway.Tests.OpenAi.Responses;

public sealed class ResponseRequestReaderTests
{
    [Fact]
    public async Task ToTurn_Everything_IsRead()
    {
        var request = await Read(
            """
            {"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"a"},
              {"type":"input_text","text":"b"}]},
             {"type":"message","role":"assistant","content":[{"type":"output_text","text":"c"}]},
              {"role":"user","content":"d"}],
             "instructions":"be brief","temperature":0.5,"top_p":0.9,"max_output_tokens":7,"truncation":"auto",
              "conversation":{"id":"conv_1"},
             "text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"}}},"tools":[],"unknown":1}
            """);

        var turn = ResponseRequestReader.ToTurn(request, isFirst: false, AnswerMarkup.None);

        Assert.Equal("conv_1", ResponseRequestReader.Conversation(request));
        Assert.Equal(
            [
                new Message(Role.System, "be brief"), new Message(
                    Role.User, "ab"), new Message(Role.Assistant, "c"), new Message(Role.User, "d"),
            ],
            turn.Input);
        Assert.Equal(
            (0.5f, 0.9f, 7, ContextOverflow.Shift),
            (turn.Settings.Temperature, turn.Settings.TopP, turn.Settings.MaxTokens, turn.Settings.Overflow));
        Assert.Equal("""{"type":"object"}""", turn.Settings.Form!.Schema);
        Assert.Equal(3, ResponseRequestReader.ToTurn(request, isFirst: true, AnswerMarkup.None).Input.Count);
    }

    [Theory]
    [InlineData("null", null)]
    [InlineData("[", null)]
    [InlineData("""{"input":"x"}""", "model")]
    [InlineData("""{"model":"m"}""", "input")]
    [InlineData("""{"model":"m","input":""}""", "input")]
    [InlineData("""{"model":"m","input":[]}""", "input")]
    [InlineData("""{"model":"m","input":["x"]}""", "input[0]")]
    [InlineData("""{"model":"m","input":[{"type":"function_call_output","output":7}]}""", "input[0].output")]
    [InlineData("""{"model":"m","input":[{"type":"computer_call"}]}""", "input[0].type")]
    [InlineData("""{"model":"m","input":[{"type":"function_call","name":"f"}]}""", "input[0].arguments")]
    [InlineData("""{"model":"m","input":[{"type":"reasoning"}]}""", "input")]
    [InlineData("""{"model":"m","input":[{"role":"wizard","content":"x"}]}""", "input[0].role")]
    [InlineData(
        """{"model":"m","input":[{"role":"user","content":[{"type":"input_image"}]}]}""", "input[0].content[0]")]
    [InlineData(
        """{"model":"m","input":[{"role":"user","content":[{"type":7,"text":"x"}]}]}""", "input[0].content[0].type")]
    [InlineData("""{"model":"m","input":[{"role":"assistant","content":"x"}]}""", "input[0].role")]
    [InlineData("""{"model":"m","input":"x","max_output_tokens":0}""", "max_output_tokens")]
    [InlineData("""{"model":"m","input":"x","temperature":3}""", "temperature")]
    [InlineData("""{"model":"m","input":"x","top_p":2}""", "top_p")]
    [InlineData("""{"model":"m","input":"x","tools":[{"type":"function","name":"a b"}]}""", "tools[0]")]
    [InlineData("""{"model":"m","input":"x","tools":[{"type":"function","name":"f"}],"tool_choice":"""
        + """{"type":"function","name":"g"}}""", "tool_choice")]
    [InlineData("""{"model":"m","input":"x","truncation":"maybe"}""", "truncation")]
    [InlineData("""{"model":"m","input":"x","background":true}""", "background")]
    [InlineData("""{"model":"m","input":"x","tools":[{"type":"web_search"}]}""", "tools[0]")]
    [InlineData("""{"model":"m","input":"x","tools":7}""", "tools")]
    [InlineData("""{"model":"m","input":"x","conversation":7}""", "conversation")]
    [InlineData("""{"model":"m","input":"x","conversation":"c","previous_response_id":"r"}""", "previous_response_id")]
    [InlineData("""{"model":"m","input":"x","conversation":"c","store":false}""", "store")]
    [InlineData("""{"model":"m","input":"x","text":{"format":{"type":"xml"}}}""", "text.format")]
    [InlineData("""{"model":"m","input":"x","text":{"format":{"type":"json_schema"}}}""", "text.format")]
    public async Task Read_BadField_IsRefusedByName(string body, string? parameter)
    {
        var error = await Assert.ThrowsAsync<HerdException>(
            async () => ResponseRequestReader.ToTurn(await Read(body), isFirst: true, AnswerMarkup.None));

        Assert.Equal((HerdError.InvalidArgument, parameter), (error.Error, error.Parameter));
    }

    private static Task<ResponseRequest> Read(string body)
    {
        var context = new DefaultHttpContext();
        context.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes(body));
        return ResponseRequestReader.Read(context.Request);
    }
}
