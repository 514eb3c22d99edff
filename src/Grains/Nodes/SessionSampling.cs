using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Inference.Grammars;
using Herd.Inference.Models;
using Herd.Inference.Sampling;

namespace Herd.Grains.Nodes;

/// <summary>From a turn's settings to the engine's, with what the model recommends where a turn does not say.</summary>
internal static class SessionSampling
{
    /// <exception cref="HerdException">A token is not in the vocabulary, or the schema cannot be kept.</exception>
    public static SamplingOptions Of(GenerationSettings settings, SamplingDefaults defaults, GrammarCache grammars, int vocabulary) => new()
    {
        Temperature = settings.Temperature ?? defaults.Temperature ?? 1,
        TopK = settings.TopK ?? defaults.TopK ?? 0,
        TopP = settings.TopP ?? defaults.TopP ?? 1,
        MinP = settings.MinP ?? defaults.MinP ?? 0,
        Typical = settings.TypicalP ?? 1,
        Penalties = settings.Penalties is not { } penalties ? new PenaltyOptions() : new PenaltyOptions
        {
            Repetition = penalties.Repetition ?? 1,
            Frequency = penalties.Frequency ?? 0,
            Presence = penalties.Presence ?? 0,
        },
        Dry = settings.Dry is { Multiplier: > 0 } dry ? new DryOptions(dry.Multiplier, dry.Base ?? 1.75f, dry.AllowedLength ?? 2) : null,
        Xtc = settings.Xtc is { Probability: > 0 } xtc ? new XtcOptions(xtc.Probability, xtc.Threshold ?? 0.1f) : null,
        Mirostat = settings.Mirostat is { } mirostat ? new MirostatOptions(mirostat.Tau ?? 5, mirostat.Eta ?? 0.1f) : null,
        Bias = Bias(settings.Bias, vocabulary),
        IgnoreEnd = settings.IgnoreEnd,
        Grammar = settings.Form is { } form ? Compile(form, grammars) : null,
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
                    HerdError.InvalidArgument, $"'logit_bias' names the token {token}; this model's are 0 to {vocabulary - 1}.", "logit_bias");
            }
        }

        return [.. bias ?? new Dictionary<int, float>()];
    }

    private static Grammar Compile(AnswerForm form, GrammarCache grammars)
    {
        try
        {
            return form.Schema is { } schema ? grammars.ForSchema(schema) : grammars.AnyObject();
        }
        catch (GrammarException e)
        {
            throw new HerdException(
                HerdError.InvalidArgument, $"The JSON schema cannot be used: {e.Message}.", "response_format");
        }
    }
}
