using Herd.Contracts.Conversations;
using Herd.Contracts.Errors;
using Herd.Gateway.Requests;
using static Herd.Gateway.Errors.BadRequest;

namespace Herd.Gateway.Generation;

/// <summary>
/// Makes the settings of a turn from a request's fields, for all interfaces. The ranges of settings are here.
/// </summary>
internal static class SettingsBuilder
{
    private const int MaxTopK = 1_000_000;
    private const int MaxLogProbs = 20;
    private const int MaxStops = 16;
    private const int MaxStopLength = 256;
    private const int MaxBiases = 1024;
    private const float MaxBias = 100;
    private const int MaxSchemaLength = 65_536;

    /// <exception cref="HerdException">A field is out of its range. The error has the field's name.</exception>
    public static GenerationSettings Build(SettingsFields fields)
    {
        ToolRules.Check(fields.Tools, fields.ToolChoice);
        return new GenerationSettings
        {
            Temperature = fields.Temperature.Between(0, 2),
            TopK = fields.TopK.Between(0, MaxTopK),
            TopP = fields.TopP.Above(0, 1),
            MinP = fields.MinP.Between(0, 1),
            TypicalP = fields.TypicalP.Above(0, 1),
            Seed = fields.Seed,
            MaxTokens = fields.MaxTokens.AtLeast(1),
            Stops = Stops(fields.Stops),
            Penalties = Penalties(fields),
            Dry = Dry(fields.Dry),
            Xtc = Xtc(fields.Xtc),
            Mirostat = Mirostat(fields.Mirostat),
            Bias = Bias(fields.Bias),
            LogProbs = fields.LogProbs.Between(0, MaxLogProbs),
            Form = Form(fields.Form),
            Tools = fields.Tools.Value,
            ToolChoice = fields.ToolChoice.Value,
            IgnoreEnd = fields.IgnoreEnd,
            IsRaw = fields.IsRaw,
            Overflow = fields.Overflow,
            Priority = fields.Priority,
        };
    }

    private static IReadOnlyList<string> Stops(Field<IReadOnlyList<string>?> field)
    {
        var stops = field.Value ?? [];
        if (stops.Count > MaxStops)
        {
            throw field.Error($"may hold at most {MaxStops} texts", stops.Count);
        }

        foreach (var (i, stop) in stops.Index())
        {
            // JSON null gives a null text.
            if (stop is not { Length: >= 1 and <= MaxStopLength })
            {
                throw field.Error(
                    $"must hold texts of 1 to {MaxStopLength} characters", $"{stop?.Length ?? 0} at index {i}");
            }
        }

        return stops;
    }

    private static PenaltySettings? Penalties(SettingsFields fields)
    {
        var penalties = new PenaltySettings(
            fields.RepetitionPenalty.Above(0, 2),
            fields.FrequencyPenalty.Between(-2, 2),
            fields.PresencePenalty.Between(-2, 2));
        return penalties == new PenaltySettings() ? null : penalties;
    }

    private static DrySettings? Dry(Field<DrySettings?> field) => field.Value is not { } dry ? null : new DrySettings(
        field.Part("multiplier", (float?)dry.Multiplier).Between(0, 10)!.Value,
        field.Part("base", dry.Base).Between(1, 10),
        field.Part("allowed_length", dry.AllowedLength).Between(1, 1000));

    private static XtcSettings? Xtc(Field<XtcSettings?> field) => field.Value is not { } xtc ? null : new XtcSettings(
        field.Part("probability", (float?)xtc.Probability).Between(0, 1)!.Value,
        field.Part("threshold", xtc.Threshold).Between(0, 0.5f));

    private static MirostatSettings? Mirostat(Field<MirostatSettings?> field) =>
        field.Value is not { } mirostat ? null : new MirostatSettings(
            field.Part("tau", mirostat.Tau).Above(0, 20),
            field.Part("eta", mirostat.Eta).Above(0, 1));

    private static IReadOnlyDictionary<int, float>? Bias(Field<IReadOnlyDictionary<int, float>?> field)
    {
        if (field.Value is not { Count: > 0 } biases)
        {
            return null;
        }

        if (biases.Count > MaxBiases)
        {
            throw field.Error($"may hold at most {MaxBiases} tokens", biases.Count);
        }

        foreach (var (token, bias) in biases)
        {
            field.Part($"{token}", (float?)bias).Between(-MaxBias, MaxBias);
        }

        return biases;
    }

    private static AnswerForm? Form(Field<AnswerForm?> field) => field.Value?.Schema switch
    {
        { Length: > MaxSchemaLength } schema =>
            throw field.Error($"may hold a JSON schema of at most {MaxSchemaLength} characters", schema.Length),
        { } schema when !JsonCheck.IsValid(schema) =>
            throw Bad(
                $"'{field.Name}' must hold a JSON schema, in valid Unicode and at most 48 levels deep.", field.Name),
        _ => field.Value,
    };
}
