using System.Text.Json;
using System.Text.Json.Serialization;

namespace Herd.Inference.Models;

/// <summary>The catalog of models (models/catalog.json), by id.</summary>
public sealed record ModelCatalog
{
    /// <summary>The version of the format; 1.</summary>
    public required int Version { get; init; }

    public required IReadOnlyList<CatalogModel> Models { get; init; }

    /// <summary>The folder to which the paths of the model files are relative.</summary>
    [JsonIgnore]
    public string Directory { get; private init; } = "";

    /// <summary>Reads a catalog.</summary>
    /// <exception cref="InvalidDataException">The file is missing or not a catalog.</exception>
    public static ModelCatalog Read(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            var catalog = JsonSerializer.Deserialize(file, CatalogJson.Default.ModelCatalog)!;
            return catalog.Version == 1
                ? catalog with { Directory = Path.GetDirectoryName(Path.GetFullPath(path))! }
                : throw new InvalidDataException(
                    $"{path} has version {catalog.Version}; this Herd reads version 1. Use a newer Herd.");
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            throw new InvalidDataException($"The model catalog {path} cannot be read: {e.Message}", e);
        }
    }

    /// <summary>True if this is the id of a model.</summary>
    public bool Has(string id) => Models.Any(model => model.Id == id);

    /// <summary>True if this is the full path of a model's file.</summary>
    public bool HasFile(string path) => FindFile(path) is not null;

    /// <summary>
    /// Finds a model by its id or by the path of a GGUF file. The file of a model of the catalog is that model. Another
    /// file is named as it is, without its ending, and never as a model of the catalog.
    /// </summary>
    /// <exception cref="InvalidDataException">There is no such model, or the file has the name of another.</exception>
    public ModelSource Find(string idOrPath)
    {
        if (Models.FirstOrDefault(model => model.Id == idOrPath) is { } known)
        {
            return ToSource(known);
        }

        if (!File.Exists(idOrPath))
        {
            throw new InvalidDataException(
                $"There is no model '{idOrPath}': it is neither in the catalog "
                + $"({string.Join(", ", Models.Select(m => m.Id))}) nor the path of a GGUF file.");
        }

        var path = Path.GetFullPath(idOrPath);
        if (FindFile(path) is { } own)
        {
            return ToSource(own);
        }

        var id = Path.GetFileNameWithoutExtension(path);
        return Has(id)
            ? throw new InvalidDataException(
                $"{path} would be served as '{id}', which is the name of another file in the catalog. Rename the file, "
                + $"or load '{id}'.")
            : new ModelSource(id, path, null, new SamplingDefaults());
    }

    private CatalogModel? FindFile(string path) => Models.FirstOrDefault(model => PathOf(model) == path);

    private string PathOf(CatalogModel model) => Path.GetFullPath(Path.Combine(Directory, model.File));

    private ModelSource ToSource(CatalogModel model) => new(model.Id, PathOf(model), model.Sha256, model.Sampling);
}

/// <summary>A model of the catalog.</summary>
/// <param name="Id">The id that clients use.</param>
/// <param name="File">Its GGUF file, relative to the catalog.</param>
/// <param name="Sha256">The SHA-256 of the file, 64 lower-case hexadecimal digits.</param>
/// <param name="ContextLength">The context length of training, in tokens.</param>
/// <param name="Licence">Its SPDX licence.</param>
/// <param name="Source">The origin of the file.</param>
/// <param name="Sampling">The defaults for requests without these settings.</param>
public sealed record CatalogModel(
    string Id,
    string File,
    string Sha256,
    int ContextLength,
    string Licence,
    string Source,
    SamplingDefaults Sampling);

/// <summary>Sampling defaults under the names of a generation_config.json; null if the model gives none.</summary>
public sealed record SamplingDefaults
{
    public float? Temperature { get; init; }

    public int? TopK { get; init; }

    public float? TopP { get; init; }

    public float? MinP { get; init; }
}

/// <summary>A model to load.</summary>
/// <param name="Id">The id that clients use.</param>
/// <param name="Path">Its file.</param>
/// <param name="Sha256">The expected SHA-256; null if none is known.</param>
/// <param name="Sampling">The defaults for requests without these settings.</param>
public sealed record ModelSource(string Id, string Path, string? Sha256, SamplingDefaults Sampling);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ModelCatalog))]
internal sealed partial class CatalogJson : JsonSerializerContext;
