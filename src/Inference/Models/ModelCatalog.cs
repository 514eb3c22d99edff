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

    /// <summary>Finds a model by its id or by the path of a GGUF file.</summary>
    /// <exception cref="InvalidDataException">There is no such model.</exception>
    public ModelSource Find(string idOrPath)
    {
        if (Models.FirstOrDefault(m => m.Id == idOrPath) is { } known)
        {
            return new ModelSource(known.Id, Path.Combine(Directory, known.File), known.Sha256, known.Sampling);
        }

        if (File.Exists(idOrPath))
        {
            return new ModelSource(
                Path.GetFileNameWithoutExtension(idOrPath), Path.GetFullPath(idOrPath), null, new SamplingDefaults());
        }

        throw new InvalidDataException(
            $"There is no model '{idOrPath}': it is neither in the catalog "
            + $"({string.Join(", ", Models.Select(m => m.Id))}) nor the path of a GGUF file.");
    }
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
