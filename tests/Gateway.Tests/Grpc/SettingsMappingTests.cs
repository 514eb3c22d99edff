using Herd.Contracts.Errors;
using Herd.Gateway.Grpc;
using Herd.V1;

namespace Herd.Gateway.Tests.Grpc;

public sealed class SettingsMappingTests
{
    public static TheoryData<string, Sampling> OutOfRange => new()
    {
        { "sampling.temperature", new Sampling { Temperature = float.NaN } },
        { "sampling.top_k", new Sampling { TopK = -1 } },
        { "sampling.top_p", new Sampling { TopP = 0 } },
        { "sampling.min_p", new Sampling { MinP = 2 } },
        { "sampling.typical_p", new Sampling { TypicalP = 0 } },
        { "sampling.repetition_penalty", new Sampling { RepetitionPenalty = 3 } },
        { "sampling.frequency_penalty", new Sampling { FrequencyPenalty = 3 } },
        { "sampling.presence_penalty", new Sampling { PresencePenalty = 3 } },
        { "sampling.dry.multiplier", new Sampling { Dry = new Dry { Multiplier = 11 } } },
        { "sampling.dry.allowed_length", new Sampling { Dry = new Dry { AllowedLength = 0 } } },
        { "sampling.xtc.probability", new Sampling { Xtc = new Xtc { Probability = 2 } } },
        { "sampling.mirostat.eta", new Sampling { Mirostat = new Mirostat { Eta = 2 } } },
        { "sampling.logit_bias.5", new Sampling { LogitBias = { [5] = 200 } } },
        { "sampling.log_probs", new Sampling { LogProbs = 21 } },
    };

    [Theory]
    [MemberData(nameof(OutOfRange))]
    public void ToSettings_SamplingOutOfRange_IsRefusedByItsPath(string field, Sampling sampling)
    {
        var converse = Assert.Throws<HerdException>(() => new ConverseRequest { Sampling = sampling }.ToSettings());
        var chat = Assert.Throws<HerdException>(() => new ChatRequest { Sampling = sampling }.ToSettings());

        Assert.Equal((field, field), (converse.Parameter, chat.Parameter));
    }

    [Fact]
    public void ToSettings_OtherFieldOutOfRange_IsRefusedByItsPath()
    {
        Assert.Equal("max_tokens", Refuse(new ChatRequest { MaxTokens = 0 }));
        Assert.Equal("stop", Refuse(new ChatRequest { Stop = { "" } }));
        Assert.Equal(
            "form", Refuse(new ChatRequest { Form = new AnswerForm { JsonSchema = new string(' ', 65_537) } }));
        Assert.Equal("tools[0]", Refuse(new ChatRequest { Tools = { new Tool { Name = "a b" } } }));
        Assert.Equal("tool_choice", Refuse(new ChatRequest { ToolChoice = new ToolChoice { Required = true } }));
    }

    [Fact]
    public void ToSettings_NoFields_AreTheModelsDefaults()
    {
        var settings = new ConverseRequest().ToSettings();

        Assert.Equal(new Contracts.Conversations.GenerationSettings { Stops = settings.Stops }, settings);
        Assert.Empty(settings.Stops);
    }

    private static string? Refuse(ChatRequest request) =>
        Assert.Throws<HerdException>(() => request.ToSettings()).Parameter;
}
