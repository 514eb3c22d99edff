using System.Globalization;
using System.Text.RegularExpressions;

namespace Herd.FuzzModels;

/// <summary>A sound header that is mutated.</summary>
/// <param name="Name">What it is: an architecture and a kind of vocabulary, or a file.</param>
/// <param name="Draft">The header.</param>
internal sealed record Seed(string Name, GgufDraft Draft);

/// <summary>Makes the headers: the real model's, and one for every architecture of the validator.</summary>
/// <param name="worker">Adds the tensors.</param>
/// <param name="folder">A folder for files.</param>
internal sealed partial class Seeds(WorkerProcess worker, string folder)
{
    /// <summary>Architectures of which llama.cpp made no model.</summary>
    public List<string> Missing { get; } = [];

    /// <summary>Why it made none.</summary>
    public Dictionary<string, string> Reasons { get; } = [];

    /// <summary>
    /// The real model with its own vocabulary once and with small ones, and each architecture, with experts where it
    /// takes them and without, in turn with each kind of vocabulary.
    /// </summary>
    public IReadOnlyList<Seed> Create(string real, IEnumerable<string> architectures)
    {
        var seeds = new List<Seed> { new(Path.GetFileNameWithoutExtension(real), GgufDraft.Read(real)) };
        foreach (var kind in Vocabularies.Kinds)
        {
            seeds.Add(new Seed($"llama {kind}", Cut(Vocabularies.Set(seeds[0].Draft.Copy(), kind))));
        }

        foreach (var architecture in architectures)
        {
            var before = seeds.Count;
            GgufDraft?[] made = [Complete(architecture, experts: false), Complete(architecture, experts: true)];
            seeds.AddRange(made.OfType<GgufDraft>().Select((draft, i) => Dress(architecture, draft, before + i)));
            if (seeds.Count == before)
            {
                Missing.Add(architecture);
            }
        }

        return seeds;
    }

    private static Seed Dress(string architecture, GgufDraft draft, int number)
    {
        var kind = Vocabularies.Kinds[number % (Vocabularies.Kinds.Length - 1)];
        return new Seed($"{architecture} {kind}", Vocabularies.Set(draft, kind));
    }

    private GgufDraft? Complete(string architecture, bool experts)
    {
        var model = Path.Combine(folder, "seed.gguf");
        var draft = ArchitectureHeaders.Create(architecture, experts);
        var answer = Make(draft, model, tensors: 0);
        if (TensorCount().Match(answer) is { Success: true } expected)
        {
            answer = Make(draft, model, int.Parse(expected.Groups[1].Value, CultureInfo.InvariantCulture));
        }

        if (answer == Worker.Passed && File.Exists(model))
        {
            return WithTensors(draft, GgufDraft.Read(model));
        }

        Reasons[architecture] = answer;
        return null;
    }

    /// <summary>llama.cpp wants as many tensors in the header as it makes; their names do not matter.</summary>
    private string Make(GgufDraft draft, string model, int tensors)
    {
        var path = Path.Combine(folder, "header.gguf");
        var counted = draft.Copy();
        counted.Tensors.AddRange(Enumerable.Range(0, tensors).Select(i => new GgufDraft.Tensor($"tensor.{i}", [1], 0)));
        var (header, length) = counted.ToBytes();
        GgufDraft.Write(path, header, length);
        File.Delete(model);
        var (answer, death) = worker.Do($"make {path} {model}");
        return death ?? answer!;
    }

    [GeneratedRegex(@"too many tensors created; expected 0, got (\d+)")]
    private static partial Regex TensorCount();

    /// <summary>The hyperparameters as they were given, with the tensors that llama.cpp made for them.</summary>
    private static GgufDraft WithTensors(GgufDraft draft, GgufDraft made)
    {
        draft.Tensors.AddRange(made.Tensors);
        for (var layer = 0; layer < ArchitectureHeaders.Layers; layer++)
        {
            foreach (var (name, shape) in ArchitectureHeaders.UnsavedTensors(draft.Architecture, layer))
            {
                var full = string.Create(CultureInfo.InvariantCulture, $"blk.{layer}.{name}");
                if (draft.Tensors.TrueForAll(tensor => tensor.Name != full))
                {
                    draft.Tensors.Add(new GgufDraft.Tensor(full, shape, 0));
                }
            }
        }

        return draft;
    }

    /// <summary>The tensors of the vocabulary get as many rows as it has tokens.</summary>
    private static GgufDraft Cut(GgufDraft draft)
    {
        for (var i = 0; i < draft.Tensors.Count; i++)
        {
            if (draft.Tensors[i].Name is "token_embd.weight" or "output.weight")
            {
                draft.Tensors[i] = draft.Tensors[i] with { Shape = [draft.Tensors[i].Shape[0], Vocabularies.Tokens] };
            }
        }

        return draft.Set("llama.vocab_size", GgufValue.From((uint)Vocabularies.Tokens));
    }
}
