using Google.Protobuf.Collections;
using Herd.Contracts.Conversations;
using Herd.Gateway.Generation;

namespace Herd.Gateway.Grpc;

/// <summary>Reads the settings of herd.v1's requests.</summary>
internal static class SettingsMapping
{
    public static GenerationSettings ToSettings(this V1.ConverseRequest request) => Build(
        request.Sampling,
        request.HasMaxTokens ? request.MaxTokens : null,
        request.Stop,
        request.Form,
        request.Tools,
        request.ToolChoice,
        request.Overflow,
        request.Priority);

    public static GenerationSettings ToSettings(this V1.ChatRequest request) => Build(
        request.Sampling,
        request.HasMaxTokens ? request.MaxTokens : null,
        request.Stop,
        request.Form,
        request.Tools,
        request.ToolChoice,
        request.Overflow,
        request.Priority);

    /// <summary>Both requests have the same fields; the generated types have nothing in common.</summary>
    private static GenerationSettings Build(
        V1.Sampling? sampling,
        int? maxTokens,
        RepeatedField<string> stops,
        V1.AnswerForm? form,
        RepeatedField<V1.Tool> tools,
        V1.ToolChoice? choice,
        V1.ContextOverflow overflow,
        V1.Priority priority) => SettingsBuilder.Build(Read(sampling ?? new V1.Sampling()) with
    {
        MaxTokens = ("max_tokens", maxTokens),
        Stops = ("stop", [.. stops]),
        Form = ("form", form?.FormCase switch
        {
            V1.AnswerForm.FormOneofCase.JsonObject => new AnswerForm(Schema: null),
            V1.AnswerForm.FormOneofCase.JsonSchema => new AnswerForm(form.JsonSchema),
            _ => null,
        }),
        Tools = ("tools", Tools(tools)),
        ToolChoice = ("tool_choice", choice is { Required: true }
            ? new ToolChoice(IsRequired: true, choice.HasName ? choice.Name : null)
            : null),
        Overflow = overflow == V1.ContextOverflow.Shift ? ContextOverflow.Shift : ContextOverflow.Refuse,
        Priority = priority == V1.Priority.Background ? TurnPriority.Background : TurnPriority.Interactive,
    });

    private static SettingsFields Read(V1.Sampling sampling) => new()
    {
        Temperature = ("sampling.temperature", sampling.HasTemperature ? sampling.Temperature : null),
        TopK = ("sampling.top_k", sampling.HasTopK ? sampling.TopK : null),
        TopP = ("sampling.top_p", sampling.HasTopP ? sampling.TopP : null),
        MinP = ("sampling.min_p", sampling.HasMinP ? sampling.MinP : null),
        TypicalP = ("sampling.typical_p", sampling.HasTypicalP ? sampling.TypicalP : null),
        Seed = sampling.HasSeed ? sampling.Seed : null,
        RepetitionPenalty = (
            "sampling.repetition_penalty", sampling.HasRepetitionPenalty ? sampling.RepetitionPenalty : null),
        FrequencyPenalty = (
            "sampling.frequency_penalty", sampling.HasFrequencyPenalty ? sampling.FrequencyPenalty : null),
        PresencePenalty = ("sampling.presence_penalty", sampling.HasPresencePenalty ? sampling.PresencePenalty : null),
        Dry = ("sampling.dry", sampling.Dry is { } dry
            ? new DrySettings(
                dry.Multiplier, dry.HasBase ? dry.Base : null, dry.HasAllowedLength ? dry.AllowedLength : null)
            : null),
        Xtc = ("sampling.xtc", sampling.Xtc is { } xtc
            ? new XtcSettings(xtc.Probability, xtc.HasThreshold ? xtc.Threshold : null)
            : null),
        Mirostat = ("sampling.mirostat", sampling.Mirostat is { } mirostat
            ? new MirostatSettings(mirostat.HasTau ? mirostat.Tau : null, mirostat.HasEta ? mirostat.Eta : null)
            : null),
        Bias = ("sampling.logit_bias", new Dictionary<int, float>(sampling.LogitBias)),
        LogProbs = ("sampling.log_probs", sampling.HasLogProbs ? sampling.LogProbs : null),
        IgnoreEnd = sampling.IgnoreEos,
    };

    private static List<Tool>? Tools(RepeatedField<V1.Tool> tools) => tools.Count == 0 ? null :
    [
        .. tools.Select(tool => new Tool(
            tool.Name, NullIfEmpty(tool.Description), NullIfEmpty(tool.Parameters), tool.Strict)),
    ];

    private static string? NullIfEmpty(string text) => text.Length > 0 ? text : null;
}
