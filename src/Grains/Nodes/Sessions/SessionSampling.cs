using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Inference.Chat;
using Herd.Inference.Grammars;
using Herd.Inference.Sampling;

namespace Herd.Grains.Nodes.Sessions;

/// <summary>
/// Translates a turn's settings into the engine's. The model's recommended values are the defaults. Errors name fields
/// as chat completions do; gateways give them the names of the other interfaces.
/// </summary>
internal static class SessionSampling
{
    /// <exception cref="HerdException">A token is not in the vocabulary, or the schema cannot be used.</exception>
    public static SamplingOptions From(GenerationSettings settings, LoadedModel model) => new()
    {
        Temperature = settings.Temperature ?? model.Sampling.Temperature ?? 1,
        TopK = settings.TopK ?? model.Sampling.TopK ?? 0,
        TopP = settings.TopP ?? model.Sampling.TopP ?? 1,
        MinP = settings.MinP ?? model.Sampling.MinP ?? 0,
        Typical = settings.TypicalP ?? 1,
        Penalties = settings.Penalties is not { } penalties ? new PenaltyOptions() : new PenaltyOptions
        {
            Repetition = penalties.Repetition ?? 1,
            Frequency = penalties.Frequency ?? 0,
            Presence = penalties.Presence ?? 0,
        },
        Dry = settings.Dry is { Multiplier: > 0 } dry
            ? new DryOptions(dry.Multiplier, dry.Base ?? 1.75f, dry.AllowedLength ?? 2)
            : null,
        Xtc = settings.Xtc is { Probability: > 0 } xtc ? new XtcOptions(xtc.Probability, xtc.Threshold ?? 0.1f) : null,
        Mirostat = settings.Mirostat is { } mirostat
            ? new MirostatOptions(mirostat.Tau ?? 5, mirostat.Eta ?? 0.1f)
            : null,
        Bias = Bias(settings.Bias, model.VocabularySize),
        IgnoreEnd = settings.IgnoreEnd,
        Grammar = Compile(settings, model),
        Seed = settings.Seed ?? 0,
        LogProbs = settings.LogProbs,
    };

    private static IReadOnlyList<KeyValuePair<int, float>> Bias(IReadOnlyDictionary<int, float>? bias, int vocabulary)
    {
        foreach (var token in bias?.Keys ?? [])
        {
            if (token < 0 || token >= vocabulary)
            {
                throw new HerdException(
                    HerdError.InvalidArgument,
                    $"'logit_bias' names the token {token}. The tokens of this model are 0 to {vocabulary - 1}.",
                    "logit_bias");
            }
        }

        return [.. bias ?? new Dictionary<int, float>()];
    }

    /// <summary>The functions that the model may call.</summary>
    public static IReadOnlyList<ToolDefinition> ToDefinitions(this GenerationSettings settings) =>
    [
        .. (settings.Tools ?? []).Select(
            tool => new ToolDefinition(tool.Name, tool.Description, tool.Parameters, tool.IsStrict)),
    ];

    private static Grammar? Compile(GenerationSettings settings, LoadedModel model)
    {
        var (mustCall, name) = (settings.ToolChoice is { IsRequired: true }, settings.ToolChoice?.Name);
        try
        {
            return mustCall
                ? model.Grammars.ForCall(
                    [.. settings.ToDefinitions().Where(tool => name is null || tool.Name == name)],
                    model.Template.Tools)
                : settings.Form is not { } form ? null
                : form.Schema is { } schema ? model.Grammars.ForSchema(schema)
                : model.Grammars.AnyObject();
        }
        catch (GrammarException e)
        {
            var field = mustCall ? "tools" : "response_format";
            throw new HerdException(
                HerdError.InvalidArgument, $"'{field}' has a JSON schema that cannot be used: {e.Message}.", field);
        }
    }
}
