using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Ollama;

namespace Herd.Gateway.Tests.Ollama;

public sealed class OllamaRequestReaderTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ToTurn_EverySetting_IsRead(bool isChat)
    {
        var settings = Read(
            """
            "format":{"type":"object"},"raw":true,"options":{"temperature":0.5,"top_k":40,"top_p":0.9,"min_p":0.1,
            "typical_p":0.8,"seed":-1,"num_predict":7,"stop":"a","repeat_penalty":1.1,"presence_penalty":0.5,
            "frequency_penalty":-0.5}
            """,
            isChat).Settings;

        Assert.Equal((0.5f, 40, 0.9f, 0.1f), (settings.Temperature, settings.TopK, settings.TopP, settings.MinP));
        Assert.Equal((0.8f, ulong.MaxValue, 7), (settings.TypicalP, settings.Seed, settings.MaxTokens));
        Assert.Equal(["a"], settings.Stops);
        Assert.Equal(new PenaltySettings(1.1f, -0.5f, 0.5f), settings.Penalties);
        Assert.Equal((true, ContextOverflow.Shift), (settings.IsRaw, settings.Overflow));
        Assert.Equal("""{"type":"object"}""", settings.Form!.Schema);
    }

    /// <summary>Clients send the fields that they do not use.</summary>
    [Theory]
    [InlineData(""" "template":"","suffix":"","context":[],"images":[],"keep_alive":"5m" """)]
    [InlineData(""" "template":null,"suffix":null,"context":null,"images":null,"chat_template_kwargs":{} """)]
    public void ToTurn_UnsupportedFieldsAreEmpty_AreIgnored(string fields) => Assert.NotNull(Read(fields));

    [Fact]
    public void ToTurn_NumPredictBelowZero_IsNoLimit() =>
        Assert.Null(Read(""" "options":{"num_predict":-1} """).Settings.MaxTokens);

    [Theory]
    [InlineData(""" "options":{"temperature":2.1} """, "options.temperature")]
    [InlineData(""" "options":{"top_k":-1} """, "options.top_k")]
    [InlineData(""" "options":{"top_p":0} """, "options.top_p")]
    [InlineData(""" "options":{"min_p":1.1} """, "options.min_p")]
    [InlineData(""" "options":{"typical_p":1.1} """, "options.typical_p")]
    [InlineData(""" "options":{"num_predict":0} """, "options.num_predict")]
    [InlineData(""" "options":{"stop":7} """, "options.stop")]
    [InlineData(""" "options":{"stop":[""]} """, "options.stop")]
    [InlineData(""" "options":{"repeat_penalty":0} """, "options.repeat_penalty")]
    [InlineData(""" "options":{"presence_penalty":3} """, "options.presence_penalty")]
    [InlineData(""" "options":{"frequency_penalty":3} """, "options.frequency_penalty")]
    [InlineData(""" "format":"xml" """, "format")]
    [InlineData(""" "template":"{{ .Prompt }}" """, "template")]
    [InlineData(""" "chat_template":"{{ 1 }}" """, "chat_template")]
    [InlineData(""" "suffix":"x" """, "suffix")]
    [InlineData(""" "context":[1,2] """, "context")]
    [InlineData(""" "images":["aGk="] """, "images")]
    [InlineData(""" "tools":[{"type":"function","function":{"name":"a b"}}] """, "tools[0]")]
    public void ToTurn_BadSetting_IsRefusedByItsNameHere(string fields, string parameter)
    {
        foreach (var isChat in new[] { true, false })
        {
            var error = Assert.Throws<HerdException>(() => Read(fields, isChat));

            Assert.Equal((HerdError.InvalidArgument, parameter), (error.Error, error.Parameter));
            Assert.Contains($"'{parameter}'", error.Message, StringComparison.Ordinal);
        }
    }

    private static TurnRequest Read(string fields, bool isChat = true) => OllamaRequestReader.ToTurn(
        JsonSerializer.Deserialize(
            $$"""{"model":"m","prompt":"hi","messages":[{"role":"user","content":"hi"}],{{fields}}}""",
            OllamaJson.Default.OllamaRequest)!,
        isChat,
        AnswerMarkup.None);
}
