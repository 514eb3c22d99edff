using System.Text.Json;
using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.OpenAi;

namespace Herd.Gateway.Tests.OpenAi;

public sealed class TextCompletionsTests
{
    [Fact]
    public void ToTurn_EverySetting_IsRead()
    {
        var settings = Read(
            """
            "temperature":0.5,"top_p":0.9,"seed":3,"max_tokens":7,"stop":["a"],
            "frequency_penalty":0.5,"presence_penalty":-1,"ignore_eos":true
            """).Settings;

        Assert.Equal((0.5f, 0.9f, 3ul, 7), (settings.Temperature, settings.TopP, settings.Seed, settings.MaxTokens));
        Assert.Equal(["a"], settings.Stops);
        Assert.Equal(new PenaltySettings(null, 0.5f, -1), settings.Penalties);
        Assert.Equal((true, true), (settings.IsRaw, settings.IgnoreEnd));
    }

    [Fact]
    public void ToTurn_NoMaxTokens_IsOpenAisDefault() => Assert.Equal(16, Read(""" "n":1 """).Settings.MaxTokens);

    /// <summary>An empty text is a text: the model begins one, or its node says that it cannot.</summary>
    [Theory]
    [InlineData(""" "" """, "")]
    [InlineData(""" [""] """, "")]
    [InlineData(""" ["a"] """, "a")]
    public void ToTurn_Prompt_IsRead(string prompt, string text) =>
        Assert.Equal(text, Assert.Single(Read($""" "prompt":{prompt} """).Input).Text);

    [Theory]
    [InlineData("[]")]
    [InlineData("[1,2]")]
    [InlineData("[[]]")]
    [InlineData("[[1]]")]
    [InlineData("[null]")]
    [InlineData("null")]
    [InlineData(""" ["a","b"] """)]
    public void ToTurn_PromptIsNoText_IsRefused(string prompt)
    {
        var error = Assert.Throws<HerdException>(() => Read($""" "prompt":{prompt} """));

        Assert.Equal((HerdError.InvalidArgument, "prompt"), (error.Error, error.Parameter));
    }

    [Theory]
    [InlineData(""" "temperature":-1 """, "temperature")]
    [InlineData(""" "top_p":1.5 """, "top_p")]
    [InlineData(""" "max_tokens":0 """, "max_tokens")]
    [InlineData(""" "stop":{} """, "stop")]
    [InlineData(""" "frequency_penalty":3 """, "frequency_penalty")]
    [InlineData(""" "presence_penalty":3 """, "presence_penalty")]
    [InlineData(""" "best_of":2 """, "best_of")]
    [InlineData(""" "echo":true """, "echo")]
    [InlineData(""" "chat_template":"{{ 1 }}" """, "chat_template")]
    public void ToTurn_BadSetting_IsRefusedByName(string fields, string parameter)
    {
        var error = Assert.Throws<HerdException>(() => Read(fields));

        Assert.Equal((HerdError.InvalidArgument, parameter), (error.Error, error.Parameter));
    }

    private static TurnRequest Read(string fields) => TextCompletions.ToTurn(
        JsonSerializer.Deserialize($$"""{"model":"m","prompt":"hi",{{fields}}}""", OpenAiJson.Default.TextRequest)!);
}
