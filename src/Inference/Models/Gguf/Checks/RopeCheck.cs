namespace Herd.Inference.Models.Gguf.Checks;

/// <summary>Rotary embeddings: the kind of scaling is known, and the rotated dimensions fit into a head.</summary>
internal static class RopeCheck
{
    private static readonly string[] Scalings = ["none", "linear", "yarn", "longrope"];

    public static string? FindFault(Hyperparameters model)
    {
        if (model.Value("rope.scaling.type") is string scaling && !Scalings.Contains(scaling))
        {
            return $"a rope scaling of another type than {string.Join(", ", Scalings)}";
        }

        var heads = model.PerLayer("attention.head_count");
        var head = model.Number("attention.key_length")
            ?? (heads.Count > 0 && heads[0] > 0 ? (model.Number("embedding_length") ?? 0) / heads[0] : 0);
        var windowHead = model.Number("attention.key_length_swa") ?? head;
        var rotated = model.Number("rope.dimension_count");
        var windowRotated = model.Number("rope.dimension_count_swa") ?? rotated;
        return rotated is { } some && head > 0 && (some > head || some % 2 != 0)
                ? $"{some} rotated dimensions are odd or more than the {head} of a head"
            : windowRotated is { } others && windowHead > 0 && (others > windowHead || others % 2 != 0)
                ? $"{others} rotated dimensions are odd or more than the {windowHead} of a head"
            : rotated is { } part && part != head && Architectures.Has(model.Architecture, Traits.WholeHeadsRotate)
                ? $"{part} rotated dimensions are not the {head} of a head"
            : head > 0 && AreOdd(model.PerLayer("rope.dimension_sections"), head)
                ? $"the sections of the rotated dimensions are none, or more than the {head} of a head"
            : null;
    }

    private static bool AreOdd(IReadOnlyList<long> sections, long head) =>
        sections.Count > 0 && (sections.Sum() > head || sections.Take(3).All(section => section == 0));
}
